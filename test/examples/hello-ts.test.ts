/** examples/hello-ts: TypeScript, several files, a package from npm, both address families. */
import { execFile } from "node:child_process";
import { cp, mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { EndpointConfig, JoinConfig } from "#dist/index.js";
import { assert, rejection, suite, type TestContext } from "../harness.js";
import { type House, house, REPO, row } from "../kit/host.js";

const test = suite("examples/hello-ts");
const run = promisify(execFile);

/** A plugins folder with the example; `installed`: as after `npm install`, with the package the repository has anyway. */
async function dropped(t: TestContext, installed: boolean): Promise<House> {
  const place = await house(t);
  const folder = join(place.plugins, "hello-ts");
  const source = join(REPO, "examples/hello-ts");
  await cp(source, folder, { recursive: true, filter: (path) => !path.startsWith(join(source, "node_modules")) });
  if (installed) {
    await cp(join(REPO, "node_modules/ipaddr.js"), join(folder, "node_modules/ipaddr.js"), { recursive: true });
  }
  return place;
}

test("without npm install: refused, with the import's file and line", async (t) => {
  const place = await dropped(t, false);
  const { refusal } = row(await place.open(), "hello-ts");
  assert.is(refusal?.code, "ERR_PLUGIN_IMPORT");
  assert.match(refusal?.message ?? "", /src\/subnets\.ts:4.*"ipaddr\.js"/);
});

test("both families: addresses, gateways, routes; through a replay", async (t) => {
  const place = await dropped(t, true);
  const host = await place.open();
  assert.is(row(host, "hello-ts").state, "running", row(host, "hello-ts").refusal?.message);
  assert.ok(place.log.some(({ text }) => text === "hello-ts is registered"));
  const driver = host.driver("hello-ts");
  await driver.createNetwork("n", { "com.docker.network.generic": { subnet: "10.5.0.76/30", subnet6: "fd05::/126" } });
  const endpoint = new EndpointConfig();
  await driver.createEndpoint("n", "one", endpoint);
  assert.equal(
    endpoint.interfaces().map((one) => [one.id(), one.address(), one.addressIPv6()]),
    [[0, "10.5.0.78/30", "fd05::2/126"]],
  );
  assert.is((await rejection(driver.createEndpoint("n", "two", new EndpointConfig()))).kind, "Forbidden");
  const joined = new JoinConfig(endpoint);
  await driver.join("n", "one", "/sandbox", joined);
  assert.equal([joined.gateway(), joined.gatewayIPv6()], ["10.5.0.77", "fd05::1"]);
  assert.equal(
    joined.staticRoutes().map(({ destination }) => destination),
    ["10.5.0.76/30", "fd05::/126"],
  );
  await host.reload("hello-ts");
  assert.equal(await driver.endpointOperInfo("n", "one"), { ipv4: "10.5.0.78/30", ipv6: "fd05::2/126" });
  await driver.leave("n", "one");
  await driver.deleteEndpoint("n", "one");
  await driver.createEndpoint("n", "two", new EndpointConfig());
  await driver.deleteEndpoint("n", "two");
  await driver.deleteNetwork("n");
});

test("a wrong subnet is BadRequest, with the line of the author's file that called the runtime's reader", async (t) => {
  const host = await (await dropped(t, true)).open();
  for (const generic of [
    { subnet: "10.0.0.0" },
    { subnet: "10.0.0.0/31" },
    { subnet: "8.8.8.0/24" },
    { subnet6: "10.0.0.0/24" },
    { subnet: 7 },
  ]) {
    const error = await rejection(
      host.driver("hello-ts").createNetwork("n", { "com.docker.network.generic": generic }),
    );
    assert.is(error.kind, "BadRequest", error.message);
    assert.is(error.file, "src/subnets.ts");
  }
});

test(
  "its types hold, and those of the plugins that ship",
  async (t) => {
    const folder = await t.folder();
    await mkdir(join(folder, "node_modules"));
    await symlink(REPO, join(folder, "node_modules/bulkhead"));
    await symlink(join(REPO, "node_modules/ipaddr.js"), join(folder, "node_modules/ipaddr.js"));
    for (const path of ["examples/hello-ts", "plugins"])
      await cp(join(REPO, path), join(folder, path), { recursive: true });
    const shipped = ["null", "host", "bridge", "macvlan"].map((name) => `plugins/${name}/index.ts`);
    const files = ["examples/hello-ts/src/index.ts", ...shipped];
    const flags =
      "--noEmit --strict --module nodenext --target es2022 --lib es2022,dom --allowImportingTsExtensions".split(" ");
    await run(join(REPO, "node_modules/.bin/tsc"), [...flags, "--types", "", ...files], { cwd: folder }).catch(
      ({ stdout }: { stdout?: string }) => assert.unreachable(stdout),
    );
  },
  { ms: 60_000 },
);

test.run();
