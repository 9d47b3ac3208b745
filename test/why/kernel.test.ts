/** `bulkhead why` on the kernel, in namespaces of the test's own: each way of being broken is named, and only then. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { ControlClient } from "#dist/control/client.js";
import type { WhyReply } from "#dist/control/types.js";
import { EndpointConfig, JoinConfig, type JsonObject } from "#dist/index.js";
import { cli } from "../cli/cli.js";
import { assert, suite, type TestContext } from "../harness.js";
import { noKernel } from "../permissions/netlink/backends.js";
import { generic, namespace, serve } from "../plugins/shipped.js";

const test = suite("why: on the kernel");
const IPAM = "com.docker.network.ipam";
const PORT_MAP = "com.docker.network.portmap";
const INTERNAL = "com.docker.network.internal";

function pool(net: number, more: object = {}): JsonObject {
  const Gateway = `10.64.${net}.1/24`;
  return {
    ...generic({}),
    [IPAM]: {
      ipv4: [{ AddressSpace: "LocalDefault", Pool: `10.64.${net}.0/24`, Gateway, AuxAddresses: {} }],
      ipv6: [],
    },
    ...more,
  };
}

/** Networks n (a, b, which publishes its port 80), m (c) and the internal i (d), each endpoint attached to a sandbox. */
async function place(t: TestContext) {
  const home = namespace(t, []);
  const boxes = { a: namespace(t, []), b: namespace(t, []), c: namespace(t, []), d: namespace(t, []) };
  const { host } = await serve(t, "bridge", "kernel", {
    netns: home,
    firewall: { ports: ["8080"] },
    // A busy machine takes its time over the kernel's rules.
    policy: { timeouts: { default: 60_000, init: 60_000 } },
  });
  const driver = host.driver();
  const networks = { a: "n", b: "n", c: "m", d: "i" } as const;
  await driver.createNetwork("n", pool(1));
  await driver.createNetwork("m", pool(2));
  await driver.createNetwork("i", pool(3, { [INTERNAL]: true }));
  const published: JsonObject = {
    [PORT_MAP]: [{ Proto: 6, IP: "", Port: 80, HostIP: "", HostPort: 8080, HostPortEnd: 8080 }],
  };
  const addresses = { a: "10.64.1.2", b: "10.64.1.3", c: "10.64.2.2", d: "10.64.3.2" };
  for (const eid of ["a", "b", "c", "d"] as const) {
    const nid = networks[eid];
    const info = new EndpointConfig([{ id: 0, mac: "", ipv4: `${addresses[eid]}/24`, ipv6: "" }]);
    await driver.createEndpoint(nid, eid, info, eid === "b" ? published : {});
    await driver.join(nid, eid, `/run/netns/${boxes[eid]}`, new JoinConfig(info));
    const attached = await host.host.attach({ type: "bridge", nid, eid });
    t.cleanup(() => attached.detach().catch(() => {}));
  }
  const socket = join(await t.folder(), "control.sock");
  await host.host.control(socket);
  const client = new ControlClient(socket);
  const ip = (where: string, ...words: readonly string[]): string =>
    execFileSync("ip", ["-n", where, ...words], { encoding: "utf8" });
  const { link = "", bridge = "" } = (await driver.endpointOperInfo("n", "a")) as Record<string, string>;
  const other = ((await driver.endpointOperInfo("m", "c")) as Record<string, string>).bridge ?? "";
  const ask = (from: string, to?: string, port?: number): Promise<WhyReply> =>
    client.ask("why", { body: { from, ...(to ? { to } : {}), ...(port ? { port } : {}) } });
  return { home, boxes, driver, client, socket, ip, link, bridge, other, ask };
}

type Place = Awaited<ReturnType<typeof place>>;

interface Broken {
  readonly name: string;
  breaks?(place: Place): unknown;
  mends?(place: Place): unknown;
  /** What is asked: `from`, `to`, `port`. */
  readonly asks: readonly [string, string?, number?];
  readonly check: string;
  readonly evidence: RegExp;
}

const nft = (netns: string, text: string): string =>
  execFileSync("ip", ["netns", "exec", netns, "nft", "-f", "-"], { input: text, encoding: "utf8" });

const BROKEN: readonly Broken[] = [
  {
    name: "link down, in the sandbox",
    breaks: ({ ip, boxes }) => ip(boxes.a, "link", "set", "eth0", "down"),
    mends: ({ ip, boxes }) => {
      ip(boxes.a, "link", "set", "eth0", "up");
      ip(boxes.a, "route", "add", "default", "via", "10.64.1.1");
    },
    asks: ["a"],
    check: "link",
    evidence: /^eth0 in \S+ is down$/,
  },
  {
    name: "link down, on the host",
    breaks: ({ ip, home, link }) => ip(home, "link", "set", link, "down"),
    mends: ({ ip, home, link }) => ip(home, "link", "set", link, "up"),
    asks: ["a", "b"],
    check: "link",
    evidence: /, the host's end of eth0, is down$/,
  },
  {
    name: "no master",
    breaks: ({ ip, home, link }) => ip(home, "link", "set", link, "nomaster"),
    mends: ({ ip, home, link, bridge }) => ip(home, "link", "set", link, "master", bridge),
    asks: ["a", "b"],
    check: "master",
    evidence: /is not a port of any bridge$/,
  },
  {
    name: "wrong master",
    breaks: ({ ip, home, link, other }) => ip(home, "link", "set", link, "master", other),
    mends: ({ ip, home, link, bridge }) => ip(home, "link", "set", link, "master", bridge),
    asks: ["a", "b"],
    check: "master",
    evidence: /is a port of \S+, and the gateway is on \S+$/,
  },
  {
    name: "missing address",
    breaks: ({ ip, boxes }) => ip(boxes.a, "address", "delete", "10.64.1.2/24", "dev", "eth0"),
    mends: ({ ip, boxes }) => {
      ip(boxes.a, "address", "add", "10.64.1.2/24", "dev", "eth0");
      ip(boxes.a, "route", "add", "default", "via", "10.64.1.1");
    },
    asks: ["10.64.1.2", "b"],
    check: "address",
    evidence: /^eth0 in \S+ lacks its address 10\.64\.1\.2\/24$/,
  },
  {
    name: "no route",
    breaks: ({ ip, boxes }) => ip(boxes.a, "route", "delete", "default"),
    mends: ({ ip, boxes }) => ip(boxes.a, "route", "add", "default", "via", "10.64.1.1"),
    asks: ["a", "198.51.100.7"],
    check: "route",
    evidence: /has no route to 198\.51\.100\.7: Network is unreachable$/,
  },
  {
    name: "forward refused by another table",
    breaks: ({ home }) =>
      nft(home, "table inet others {\n chain forward {\n type filter hook forward priority 0; policy drop;\n }\n}\n"),
    mends: ({ home }) => nft(home, "delete table inet others"),
    asks: ["a", "198.51.100.7"],
    check: "forward",
    evidence: /^policy drop, and no rule for mark \S+: inet others forward$/,
  },
  {
    name: "port not published",
    asks: ["c", "b", 81],
    check: "port",
    evidence: /port 81 of endpoint b is not published$/,
  },
  {
    name: "other network",
    asks: ["a", "10.64.2.2"],
    check: "network",
    evidence: /^endpoint a is on network n, endpoint c on network m, and networks are kept apart$/,
  },
  {
    name: "internal",
    asks: ["d", "198.51.100.7"],
    check: "internal",
    evidence: /^network i is internal: /,
  },
  {
    name: "plugin down",
    breaks: ({ client }) => client.ask("stop", { id: "bridge" }),
    mends: ({ client }) => client.ask("start", { id: "bridge" }),
    asks: ["a", "b"],
    check: "plugin",
    evidence: /^plugin bridge, which serves bridge, is stopped: ERR_PLUGIN_STOPPED: /,
  },
];

test(
  "each way of being broken is named by its own check; mended, every check holds",
  async (t) => {
    const one = await place(t);
    const whole = async (): Promise<void> => {
      const all: readonly Broken["asks"][] = [["a"], ["a", "b"], ["c", "b", 80], ["a", "198.51.100.7"]];
      for (const asked of all) {
        const { cause, checks } = await one.ask(...asked);
        assert.is(cause, null, `${asked}: ${JSON.stringify(cause)}`);
        assert.equal(
          checks.filter(({ holds }) => holds === "no"),
          [],
        );
      }
    };
    await whole();
    for (const { name, breaks, mends, asks, check, evidence } of BROKEN) {
      await breaks?.(one);
      const { cause } = await one.ask(...asks);
      assert.is(cause?.check, check, `${name}: ${JSON.stringify(cause)}`);
      assert.match(cause?.evidence ?? "", evidence);
      assert.ok(cause?.fix, name);
      await mends?.(one);
    }
    await whole();
  },
  { ms: 240_000, needs: noKernel },
);

test(
  "the command says the cause first, then every check; as JSON one line",
  async (t) => {
    const { socket, ip, boxes } = await place(t);
    const run = (...args: string[]) => cli(["why", ...args, "--control", socket, "--engine", "/nowhere/docker.sock"]);
    const fine = await run("a", "b:80");
    assert.is(fine.exit, 0, fine.err);
    assert.match(fine.out, /^every check holds: .*\n\n {2}ok {2}plugin {3}bridge, which serves bridge, is running\n/);
    ip(boxes.b, "link", "set", "eth0", "down");
    const down = await run("a", "10.64.1.3:80");
    assert.is(down.exit, 1, "something refuses the packets");
    assert.match(
      down.out,
      new RegExp(
        `^link: eth0 in \\S+${boxes.b} is down\n  where  endpoint b on network n\n  fix    nsenter --net=\\S+ ip link set eth0 up\n\n`,
      ),
    );
    const lines = await run("a", "b", "--json");
    assert.equal([lines.exit, (JSON.parse(lines.out) as WhyReply).cause?.check], [1, "link"]);
    ip(boxes.b, "link", "set", "eth0", "up");
    const none = await run("nobody\u001b");
    assert.equal([none.exit, /^error ERR_ENDPOINT_NOT_FOUND: .*\\u\{1b\}/.test(none.err)], [1, true], none.err);
    for (const wrong of ["b:x", "b:70000", ":80"]) assert.is((await run("a", wrong)).exit, 2, wrong);
  },
  { ms: 180_000, needs: noKernel },
);

test.run();
