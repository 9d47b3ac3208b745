/** The in-memory host of an author's tests. */
import { readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { createTestHost, EndpointConfig, type TestHostOptions } from "#dist/testing.js";
import { assert, rejection, suite, type TestContext } from "../harness.js";
import { house, REPO, thrown } from "../kit/host.js";
import { driver as driverText, plugin } from "../kit/plugins.js";
import { reference } from "./reference.js";

const test = suite("testing: the host");

async function open(t: TestContext, options: TestHostOptions) {
  const host = await createTestHost(options);
  t.cleanup(() => host.close());
  return host;
}

/** From now on, in this test, temporary files are made in a folder of its own; gives what is in it. */
async function ownTemporary(t: TestContext): Promise<() => Promise<string[]>> {
  const before = process.env.TMPDIR;
  const folder = await t.folder();
  t.cleanup(() => {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
  });
  process.env.TMPDIR = folder;
  return () => readdir(folder);
}

test("a file, a folder, and their drivers by name or without", async (t) => {
  const file = await open(t, { plugin: await reference(t) });
  assert.equal(
    [file.id, file.driver().type(), file.driver("reference").type()],
    ["reference", "reference", "reference"],
  );
  const folder = await open(t, { plugin: join(REPO, "plugins/null") });
  assert.equal([folder.id, folder.driver().type()], ["null", "null"]);
  assert.is(thrown(() => folder.driver("host")).code, "ERR_DRIVER_NOT_FOUND");
});

test("of several drivers one has to be named", async (t) => {
  const end = `await callback.registerDriver("b", ${driverText("b")}, { scope: "local" });`;
  const place = await house(t, {
    "a.js": plugin("a", { end }),
    "a.plugin.json": '{ "networkTypes": ["a", "b"] }',
  });
  const host = await open(t, { plugin: join(place.plugins, "a.js") });
  assert.is(host.driver("b").type(), "b");
  const error = thrown(() => host.driver());
  assert.equal(
    [error.code, error.message],
    ["ERR_DRIVER_NOT_FOUND", 'plugin "a" registers a, b; name the type you mean'],
  );
});

test("kill(): calls in flight learn of it, and networks are back when it resolves", async (t) => {
  const hanging = ["endpointOperInfo", "return new Promise(() => {});"] as const;
  const host = await open(t, { plugin: await reference(t, hanging) });
  const driver = host.driver();
  await driver.createNetwork("n");
  await driver.createEndpoint("n", "e", new EndpointConfig());
  const call = rejection(driver.endpointOperInfo("n", "e"));
  await new Promise((resolve) => setImmediate(resolve));
  await host.kill();
  // Whether it had reached the driver by then is the machine's to say.
  assert.match((await call).code ?? "", /^ERR_(OUTCOME_UNKNOWN|DRIVER_BUSY)$/);
  await driver.deleteEndpoint("n", "e");
  assert.is(host.host.plugins()[0]?.counters.restarts, 1);
});

test("kill() rejects when a network is not restored, and when the plugin stays away", async (t) => {
  const forgets = await open(t, {
    plugin: await reference(t, ["createNetwork", 'if (ctx.replay) fail("Internal", "forgotten");']),
  });
  await forgets.driver().createNetwork("n");
  const lost = await rejection(forgets.kill());
  assert.is(lost.code, "ERR_REPLAY_FAILED");
  assert.match(lost.message, /network n .*forgotten/);

  const host = await open(t, { plugin: await reference(t) });
  for (let crash = 0; crash < 4; crash++) await host.kill();
  assert.is((await rejection(host.kill())).code, "ERR_PLUGIN_UNAVAILABLE");
  await host.host.reload("reference");
  await host.kill();
  await host.driver().createNetwork("n");
});

test("policy and permissions reach the plugin", async (t) => {
  const text = plugin("a", {
    start: "let seen;",
    methods: `config(options) { seen = options; },
      createNetwork: () => powers.store.set("k", "x".repeat(100)),
      endpointOperInfo: () => ({ seen }),`,
  });
  const place = await house(t, { "a.js": text });
  const host = await open(t, {
    plugin: join(place.plugins, "a.js"),
    permissions: { store: { bytes: 64 } },
    policy: { options: { a: { mtu: 1400 } } },
  });
  assert.is((await rejection(host.driver().createNetwork("n"))).message.includes("64"), true);
  assert.equal(host.host.plugins()[0]?.grant?.permissions.store, { bytes: 64, keys: 256 });
  const roomy = await open(t, { plugin: join(place.plugins, "a.js"), policy: { options: { a: { mtu: 1400 } } } });
  await roomy.driver().createNetwork("n");
  await roomy.driver().createEndpoint("n", "e", new EndpointConfig());
  assert.equal(await roomy.driver().endpointOperInfo("n", "e"), { seen: { mtu: 1400 } });
});

test("a driver that asks for netlink is given what its manifest leaves to the operator; permissions narrow it", async (t) => {
  const path = join(REPO, "plugins/bridge");
  const granted = async (permissions?: TestHostOptions["permissions"]): Promise<unknown> => {
    const host = await open(t, { plugin: path, ...(permissions ? { permissions } : {}) });
    await host.driver().createNetwork("n");
    assert.is((await host.links()).length, 2);
    const { kinds, prefix, subnets, max } = host.host.plugins()[0]?.grant?.permissions.netlink ?? {};
    return { kinds, prefix, subnets, max };
  };
  const kinds = ["bridge", "veth"];
  assert.equal(await granted(), { kinds, prefix: "bh", subnets: ["10.64.0.0/10", "fd64::/32"], max: 256 });
  assert.equal(await granted({ netlink: { max: 9, prefix: "t" } }), {
    kinds,
    prefix: "t",
    subnets: ["10.64.0.0/10", "fd64::/32"],
    max: 9,
  });
});

test("recovery: self, and every call reaches the driver", async (t) => {
  const path = await reference(t);
  const host = await open(t, { plugin: path, recovery: "self" });
  const error = await rejection(host.driver().deleteNetwork("n"));
  assert.equal([error.code, error.message], ["ERR_DRIVER_FAILED", "unknown network"]);
  assert.equal(await readdir(dirname(path)), ["reference.js"], "the author's own folder is left alone");
});

test("what is wrong with the plugin is said, and nothing is left", async (t) => {
  const place = await house(t, {
    "throws.js": "export async function init() { throw new Error('not today'); }",
    "syntax.js": "export function init( {",
    "asks/plugin.json": "{ nonsense",
  });
  const left = await ownTemporary(t);
  const refusal = async (name: string): Promise<string | undefined> =>
    (await rejection(createTestHost({ plugin: join(place.plugins, name) }))).code;
  assert.is(await refusal("throws.js"), "ERR_PLUGIN_INIT");
  assert.is(await refusal("syntax.js"), "ERR_PLUGIN_SYNTAX");
  assert.is(await refusal("asks"), "ERR_MANIFEST_INVALID");
  assert.is(await refusal("nothing.js"), "ERR_PLUGIN_FILE");
  assert.is(await refusal("."), "ERR_MANIFEST_MISSING");
  assert.equal(await left(), []);
});

test("close() twice, await using, and the model's own links", async (t) => {
  const path = await reference(t);
  const left = await ownTemporary(t);
  const host = await createTestHost({ plugin: path, links: ["eth0"] });
  assert.is((await left()).length, 1);
  assert.equal(await host.links(), ["eth0", "lo"]);
  await Promise.all([host.close(), host.close()]);
  {
    await using inner = await createTestHost({ plugin: path });
    assert.equal(await inner.links(), ["lo"]);
  }
  assert.equal(await left(), []);
  assert.is((await rejection(host.driver().createNetwork("n"))).code, "ERR_HOST_CLOSED");
});

test.run();
