/** `bulkhead ports`: what is published, beside a running host and after it, with containers' names where an engine gives them. */
import { join } from "node:path";
import { EndpointConfig, type HostedDriver, type JsonObject } from "#dist/index.js";
import { bridgeHost } from "../docker/bridge-host.js";
import { engineWith } from "../docker/engine-api.js";
import { assert, suite, type TestContext } from "../harness.js";
import { cli } from "./cli.js";

const test = suite("cli/ports");
const NONE = "/no/such/docker.sock";

const POOLS: JsonObject = {
  "com.docker.network.ipam": {
    ipv4: [{ AddressSpace: "LocalDefault", Pool: "10.64.1.0/24", Gateway: "10.64.1.1/24", AuxAddresses: {} }],
    ipv6: [{ AddressSpace: "LocalDefault", Pool: "fd64:0:0:1::/64", Gateway: "fd64:0:0:1::1/64", AuxAddresses: {} }],
  },
};

async function publish(driver: HostedDriver, eid: string, HostPort: number): Promise<void> {
  const entry = { Proto: 6, IP: "", Port: 80, HostIP: "", HostPort, HostPortEnd: HostPort };
  const options: JsonObject = { "com.docker.network.portmap": [entry] };
  await driver.createEndpoint("net-0123456789abcdef", eid, new EndpointConfig(), options);
}

async function place(t: TestContext) {
  const dataDir = join(await t.folder(), "data");
  const driver = (await bridgeHost(t, dataDir)).driver("bridge");
  await driver.createNetwork("net-0123456789abcdef", POOLS);
  return { dataDir, driver };
}

test("nothing is published", async (t) => {
  const { dataDir } = await place(t);
  const ran = await cli(["ports", "--data-dir", dataDir, "--engine", NONE]);
  assert.equal([ran.exit, ran.out], [0, "no ports are published\n"]);
});

test("chosen and asked for, both families, beside a running host; containers by name where the engine says them", async (t) => {
  const { dataDir, driver } = await place(t);
  await publish(driver, "end-0123456789abcdef", 0);
  await publish(driver, "end-fedcba9876543210", 8080);
  const engine = await engineWith(t, [{ name: "web", network: "front", endpoint: "end-0123456789abcdef" }]);
  const ran = await cli(["ports", "--data-dir", dataDir, "--engine", engine]);
  const lines = [
    "HOST          PROTOCOL  ENDPOINT'S            TYPE    NETWORK       ENDPOINT      CONTAINER",
    "0.0.0.0:8000  tcp       10.64.1.2:80          bridge  front         end-01234567  web",
    "[::]:8000     tcp       [fd64:0:0:1::2]:80    bridge  front         end-01234567  web",
    "0.0.0.0:8080  tcp       10.64.1.3:80          bridge  net-01234567  end-fedcba98  -",
    "[::]:8080     tcp       [fd64:0:0:1::3]:80    bridge  net-01234567  end-fedcba98  -",
  ];
  const squeezed = (text: string): string => text.replaceAll(/ +/g, " ").trim();
  assert.equal([ran.exit, squeezed(ran.out)], [0, lines.map(squeezed).join("\n")]);
});

test("--json has whole ids; a path that is not a folder is refused", async (t) => {
  const { dataDir, driver } = await place(t);
  await publish(driver, "end-0123456789abcdef", 8080);
  const { ok, live, ports } = (await cli(["ports", "--json", "--data-dir", dataDir, "--engine", NONE])).json();
  const ids = { type: "bridge", nid: "net-0123456789abcdef", eid: "end-0123456789abcdef" };
  assert.equal([ok, live], [true, true]);
  assert.equal((ports as unknown[])[0], {
    ...{ plugin: "bridge", protocol: "tcp", hostIP: "0.0.0.0", hostPort: 8080, ip: "10.64.1.2", port: 80 },
    ...ids,
  });
  const none = await cli(["ports", "--data-dir", join(dataDir, "none")]);
  assert.is(none.exit, 1);
  assert.match(none.err, /^error ERR_DATA_DIR: /);
});

test.run();
