/**
 * The host's own work, the kernel's programs above all, is not the driver's time: slow or hanging, it costs a caller at most its
 * deadline, and the driver neither its life nor its name.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { netlinkOf } from "#dist/host/plugin-host.js";
import { EndpointConfig, type PluginHost } from "#dist/index.js";
import type { ModelBackend } from "#dist/permissions/netlink/model/model-backend.js";
import { assert, rejection, suite, type TestContext, until } from "../../harness.js";
import { hear, house, next, row } from "../../kit/host.js";
import { plugin } from "../../kit/plugins.js";

const test = suite("host: deadlines, the host's own work");

const GRANT = { kinds: ["bridge" as const], prefix: "hw", subnets: ["10.64.0.0/10"] };
const DEADLINE = 300;
const MAKE = `await powers.netlink.createLink({ kind: "bridge", name: "hw-b" + nid });`;
const LINKS = `
  createNetwork: async (nid) => { ${MAKE} },
  deleteNetwork: async (nid) => { await powers.netlink.deleteLink("hw-b" + nid); },
  createEndpoint: async (_nid, _eid, config) => { config.addInterface(0, "", "10.64.0.2/24", ""); },`;

async function open(t: TestContext, start = ""): Promise<{ host: PluginHost; model: ModelBackend }> {
  const manifest = { permissions: { netlink: { kinds: ["bridge"] } }, timeouts: { default: DEADLINE, init: 1000 } };
  const place = await house(t, {
    "wires.js": plugin("wires", { methods: LINKS, start }),
    "wires.plugin.json": JSON.stringify(manifest),
  });
  const policy = { plugins: { wires: { grant: { netlink: GRANT } } } };
  const host = await place.open({ policy, backend: "model", netns: "hw-test", watch: true });
  return { host, model: netlinkOf(host)?.backend as ModelBackend };
}

/** What is applied next takes so long. Resolves when that has been applied. */
function slow(model: ModelBackend, ms: number): Promise<void> {
  const { apply } = model;
  return new Promise((resolve) => {
    model.apply = async (units) => {
      model.apply = apply;
      await sleep(ms);
      return apply.call(model, units).finally(resolve);
    };
  });
}

test("a power that takes longer than two deadlines: the caller is answered in time, and the driver is not ended", async (t) => {
  const { host, model } = await open(t);
  const heard = hear(host);
  const applied = slow(model, 4 * DEADLINE);
  const began = performance.now();
  assert.is((await rejection(host.driver("wires").createNetwork("1"))).code, "ERR_DRIVER_TIMEOUT");
  assert.ok(performance.now() - began < 3 * DEADLINE);
  await applied;
  // Its create came too late and is undone; then the id is free.
  await until(async () => !(await model.readSnapshot()).links.has("hw-b1"), "the link to be gone");
  await host.driver("wires").createNetwork("1");
  assert.equal([row(host, "wires").state, row(host, "wires").counters.restarts], ["running", 0]);
  assert.equal(
    heard.filter(({ name }) => name !== "call:timeout"),
    [],
  );
});

test("a slow power in init is not init's time", async (t) => {
  const manifest = { permissions: { netlink: { kinds: ["bridge"] } }, timeouts: { init: 300 } };
  const place = await house(t);
  const policy = { plugins: { wires: { grant: { netlink: GRANT } } } };
  const host = await place.open({ policy, backend: "model", netns: "hw-test", watch: true });
  slow(netlinkOf(host)?.backend as ModelBackend, 900);
  const loaded = next(host, "plugin:loaded");
  const refused = next(host, "plugin:refused").then(({ reason }) => Promise.reject(new Error(reason)));
  await place.put({
    "wires.plugin.json": JSON.stringify(manifest),
    "wires.js": plugin("wires", { start: `const nid = "0"; ${MAKE}` }),
  });
  await Promise.race([loaded, refused]);
});

test("a look at the host's network that hangs: the caller is answered in time, in words that name it, and the driver is not blamed", async (t) => {
  const { host, model } = await open(t);
  const driver = host.driver("wires");
  await driver.createNetwork("1");
  const { readSnapshot } = model;
  const hangs = sleep(3 * DEADLINE).then(() => Promise.reject(new Error("ip: it was ended")));
  model.readSnapshot = (() => hangs) as never;
  const began = performance.now();
  const error = await rejection(driver.createEndpoint("1", "e", new EndpointConfig()));
  assert.ok(performance.now() - began < 3 * DEADLINE);
  assert.is(error.code, "ERR_NETLINK_FAILED");
  assert.match(
    error.message,
    /^driver "wires": createEndpoint: the host could not read its own network \(not within 300 ms\)/,
  );
  await rejection(hangs);
  assert.match(
    (await rejection(driver.createEndpoint("1", "f", new EndpointConfig()))).message,
    /\(ip: it was ended\)/,
  );
  model.readSnapshot = readSnapshot.bind(model);
  await driver.createEndpoint("1", "f", new EndpointConfig());
  assert.is(row(host, "wires").counters.restarts, 0);
});

test.run();
