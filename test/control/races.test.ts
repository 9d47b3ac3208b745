/** An operator's word holds against what is under way: starts, restarts that wait, crashes, types registered late. */
import { assert, rejection, suite, type TestContext } from "../harness.js";
import { next, row } from "../kit/host.js";
import { plugin } from "../kit/plugins.js";
import { type Controlled, controlled } from "./controlled.js";

const test = suite("control/races");

/** Longer than any test: a test that waits for this deadline has failed. */
const timeouts = { init: 600_000 };

/** A plugin whose next worker never comes to the end of its start; its type is "net". */
async function stuckAtRestart(t: TestContext): Promise<Controlled> {
  const given = await controlled(
    t,
    {
      "net.js": plugin("net", {
        start: 'if ((await powers.store.get("stuck")) === true) { console.log("begun"); await new Promise(() => {}); }',
        methods: 'createNetwork: () => powers.store.set("stuck", true),',
      }),
      "net.plugin.json": '{ "permissions": { "log": true, "store": true } }',
    },
    { policy: { plugins: { net: { timeouts } } } },
  );
  await given.host.driver("net").createNetwork("n");
  return given;
}

test("a quarantine ends a worker that is being started, at once", async (t) => {
  const { host, client } = await stuckAtRestart(t);
  const begun = next(host, "plugin:log");
  const restarted = rejection(client.ask("restart", { id: "net" }));
  await begun;
  assert.is((await client.ask("quarantine", { id: "net" })).state, "quarantined");
  await restarted;
  assert.is((await rejection(host.driver("net").createNetwork("m"))).code, "ERR_PLUGIN_QUARANTINED");
});

test("a restart that waits does not lift a quarantine that came after it; a second quarantine waits for the first", async (t) => {
  const { host, client } = await stuckAtRestart(t);
  const begun = next(host, "plugin:log");
  const first = rejection(client.ask("restart", { id: "net" }));
  await begun;
  const second = rejection(client.ask("restart", { id: "net" }));
  // Requests of one client come one after the other.
  await client.ask("plugins");
  const quarantines = [client.ask("quarantine", { id: "net" }), client.ask("quarantine", { id: "net" })];
  for (const details of await Promise.all(quarantines)) assert.is(details.state, "quarantined");
  await first;
  assert.is((await second).code, "ERR_PLUGIN_QUARANTINED");
  assert.is(row(host, "net").state, "quarantined");
});

test("a plugin that crashes while it is stopped: its calls are refused, and do not wait", async (t) => {
  const { host, client } = await controlled(t, {
    "net.js": plugin("net", {
      methods: `async createNetwork() {
        console.log("begun");
        for (let n = 0; n < 200; n++) await powers.store.get("x");
        Promise.reject(new Error("stray"));
        return new Promise(() => {});
      },`,
    }),
    "net.plugin.json": '{ "permissions": { "log": true, "store": true } }',
  });
  const driver = host.driver("net");
  const begun = next(host, "plugin:log");
  const crashing = rejection(driver.createNetwork("n"));
  await begun;
  assert.is((await client.ask("stop", { id: "net" })).state, "stopped");
  await crashing;
  assert.is((await rejection(driver.createNetwork("m"))).code, "ERR_PLUGIN_STOPPED");
});

test("what is unloaded stays quarantined", async (t) => {
  const { host, client } = await controlled(t, { "net.js": plugin("net") });
  await client.ask("quarantine", { id: "net" });
  await host.unload("net");
  assert.is((await rejection(host.reload("net"))).code, "ERR_PLUGIN_QUARANTINED");
  await host.refresh();
  assert.is((await client.ask("start", { id: "net" })).state, "running");
});

test.run();
