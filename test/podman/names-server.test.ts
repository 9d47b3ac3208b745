/** The server of names: whose gateway it takes, and what hostile clients and unreachable servers do to it. Needs loopback only. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { encode } from "dns-packet";
import type { Attachment } from "#dist/attachments/attachment.js";
import { DriverError } from "#dist/index.js";
import { namesByDriver } from "#dist/podman/names/by-driver.js";
import { forward, framed } from "#dist/podman/names/forward.js";
import { NAMES } from "#dist/podman/names/limits.js";
import { NameService } from "#dist/podman/names/name-service.js";
import { NameServer } from "#dist/podman/names/server.js";
import { Zone } from "#dist/podman/names/zone.js";
import { assert, suite, type TestContext, until } from "../harness.js";
import { SILENT } from "../kit/logger.js";

const test = suite("podman/names-server");
const AT = "127.0.53.7";
const QUERY = encode({ type: "query", id: 7, flags: 256, questions: [{ type: "A", name: "web" }] });

function zoneWith(forwarders: readonly string[]): () => Zone {
  const web = { id: "1", names: ["web"], addresses: ["127.0.0.1"] };
  const zone = new Zone([{ id: "n", listen: [AT], forwarders, containers: [web] }]);
  return () => zone;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, AT);
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

async function serving(t: TestContext, forwarders: readonly string[] = []): Promise<[NameServer, number]> {
  const port = await freePort();
  const server = await NameServer.open(AT, zoneWith(forwarders), port);
  t.cleanup(() => {
    try {
      server.close();
    } catch {
      // The test has closed it.
    }
  });
  return [server, port];
}

test("a type's names are its driver's if its plugin is granted resolver, or nothing is known of it yet", () => {
  const granted: Record<string, object | undefined> = { egress: { resolver: {} }, bridge: {} };
  let up = true;
  const byDriver = namesByDriver({
    view(type: string) {
      if (!up) throw new DriverError("ERR_PLUGIN_UNAVAILABLE", "down");
      return { plugin: type };
    },
    plugin: (name: string) => ({ effective: granted[name] && { permissions: granted[name] } }),
  } as never);
  assert.equal(["egress", "bridge", "new"].map(byDriver), [true, false, true]);
  up = false;
  assert.equal(["egress", "bridge", "other"].map(byDriver), [true, false, true]);
});

test(
  "nothing is bound for a kept attachment whose driver answers names itself",
  async (t) => {
    const row: Attachment = {
      ...{ platform: "podman", network: "n", container: "c", interface: "eth0", type: "egress", nid: "1", eid: "e" },
      ...{ netns: "/run/netns/a", namespace: "a", phase: "live", links: [], gateway: AT, gatewayIPv6: "", routes: [] },
      ...{ ports: [], publishes: false, note: { names: ["c"], listen: [AT] } },
    };
    for (const itself of [true, false]) {
      const service = new NameService(
        () => [row],
        () => itself,
        SILENT,
      );
      t.cleanup(() => service.close());
      assert.equal([...(await service.update())], itself ? [] : [AT]);
      await service.close();
    }
  },
  { needs: process.getuid?.() === 0 ? undefined : "not root, which may bind port 53" },
);

test("a server that cannot be reached, of whatever kind, is no answer and nothing else", async () => {
  // The kernel refuses to connect to the broadcast address.
  assert.is(await forward(QUERY, ["255.255.255.255"], "udp"), undefined);
  assert.is(await forward(QUERY, ["255.255.255.255"], "tcp"), undefined);
});

test("a query whose answer comes after the server was closed is dropped", async (t) => {
  const upstream = createSocket("udp4");
  t.cleanup(() => upstream.close());
  upstream.bind(0, "127.0.0.1");
  await once(upstream, "listening");
  const [server, port] = await serving(t, [`127.0.0.1:${upstream.address().port}`]);
  const client = createSocket("udp4");
  t.cleanup(() => client.close());
  const other = encode({ type: "query", id: 8, flags: 256, questions: [{ type: "A", name: "example.org" }] });
  client.send(other, port, AT);
  const [query, from] = (await once(upstream, "message")) as [Buffer, { port: number; address: string }];
  server.close();
  const faults: unknown[] = [];
  const fault = (error: unknown): void => void faults.push(error);
  process.on("unhandledRejection", fault);
  t.cleanup(() => void process.off("unhandledRejection", fault));
  await new Promise((resolve) => upstream.send(query, from.port, from.address, resolve));
  // The reply has been passed on when one sent later has arrived at another socket.
  const [, laterPort] = await serving(t);
  client.send(QUERY, laterPort, AT);
  await once(client, "message");
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(faults, []);
});

test("a connection ends after its queries, and one of a client too many at once", async (t) => {
  const [, port] = await serving(t);
  const open = async (): Promise<Socket> => {
    const link = connect(port, AT);
    t.cleanup(() => link.destroy());
    link.on("error", () => {});
    await once(link, "connect");
    return link;
  };
  const first = await open();
  let heard = 0;
  first.on("data", (part: Buffer) => {
    heard += part.length;
  });
  first.write(framed(QUERY));
  await until(() => heard > 0, "an answer");
  first.write(Buffer.concat(Array.from({ length: NAMES.queriesPerConnection }, () => framed(QUERY))));
  await until(() => first.destroyed, "the end of the connection");
  const long = await open();
  long.resume().write(Buffer.from([0xff, 0xff, 0]));
  await until(() => long.destroyed, "the end of the one with a long query");
  const links: Socket[] = [];
  for (let count = 0; count <= NAMES.connectionsPerClient; count++) links.push((await open()).resume());
  await until(() => links.at(-1)?.destroyed, "the end of the last one");
  assert.is(links.filter((one) => one.destroyed).length, 1);
});

test.run();
