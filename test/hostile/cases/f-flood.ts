/** Class F, flood: more of what is allowed than anyone can take. */
import { strict as assert } from "node:assert";
import { EndpointConfig } from "#dist/driverapi/endpoint-config.js";
import { JoinConfig } from "#dist/driverapi/join-config.js";
import { until } from "../../harness.js";
import type { HostileCase } from "../case.js";
import { hostile } from "../source.js";

const SHAPE = `const shape = (name) => ({ type: () => name, config() {}, createNetwork() {}, deleteNetwork() {}, createEndpoint() {}, deleteEndpoint() {}, endpointOperInfo() {}, join() {}, leave() {} });`;

export const FLOOD: readonly HostileCase[] = [
  {
    item: 41,
    title: "a flood of log lines, long and short, from a loop and from timers",
    source: hostile({
      methods: {
        createNetwork: `createNetwork() { const long = "y".repeat(100000); for (let i = 0; i < 20000; i++) { console.log(i); console.error(long, i); } setInterval(() => { for (let i = 0; i < 500; i++) console.warn("again", i); }, 1); }`,
      },
    }),
    async run({ endpoint, log, info, pulse }) {
      await endpoint();
      await pulse.answers(60);
      const lines = log.filter((line) => line.fields.plugin === "hostile");
      const limit = 100;
      assert.ok(lines.length > 0 && lines.length < 20 * limit, `${lines.length} lines`);
      assert.ok(
        lines.some((line) => /lines? dropped/.test(line.message)),
        "nobody says that lines were dropped",
      );
      for (const line of lines) assert.ok(line.message.length < 5000);
      assert.equal(info().state, "running");
      return "refused inside";
    },
  },
  {
    item: 42,
    title: "a flood of registrations: refused, counted, and its worker ended",
    source: hostile({
      top: `let register; ${SHAPE}`,
      init: "register = callback.registerDriver;",
      methods: {
        createNetwork: `async createNetwork() { for (let i = 0; i < 5000; i++) register("type" + i, shape("type" + i), { scope: "local" }).catch(() => {}); await new Promise(() => {}); }`,
      },
    }),
    // The flood itself may keep the worker busy for longer than the short deadline.
    policy: { timeouts: { default: 5000, init: 3000 } },
    async run({ driver, event, told, events, info }) {
      await assert.rejects(driver().createNetwork("n"));
      await event("plugin:restarting", "ERR_FLOOD");
      const { code } = await event("violation");
      assert.equal(code, "ERR_FLOOD");
      told("ERR_FLOOD");
      const refusals = events.filter((one) => one.name === "driver:refused").length;
      assert.ok(refusals >= 64 && refusals <= 256, `${refusals} refusals`);
      assert.equal(info().counters.violations, 1);
      return "plugin ended";
    },
  },
  {
    item: 43,
    title: "a flood of store calls, their promises dropped: the excess is refused in its own worker",
    source: hostile({
      top: "let store;",
      init: "store = powers.store;",
      methods: {
        createNetwork: `createNetwork() { saw.limit = 0; for (let i = 0; i < 10000; i++) store.get("k" + i).catch((error) => { if (error.code === "ERR_PERMISSION_LIMIT") saw.limit++; }); const text = "z".repeat(60000); const again = () => { store.set("k", text).then(again, () => {}); }; for (let i = 0; i < 64; i++) again(); }`,
      },
    }),
    policy: { timeouts: { default: 5000, init: 3000 } },
    async run({ endpoint, driver, info, pulse }) {
      await endpoint();
      await pulse.answers(60);
      const saw = await driver().endpointOperInfo("n", "e");
      assert.ok(Number(saw.limit) > 5000, `${saw.limit} refused`);
      assert.equal(info().counters.restarts, 0);
      return "refused inside";
    },
  },
  {
    item: 43,
    title: "the same with nobody listening: the first refusal is a stray rejection, and the plugin's crash",
    source: hostile({
      top: "let store;",
      init: "store = powers.store;",
      methods: {
        createNetwork: `async createNetwork() { for (let i = 0; i < 6000; i++) store.get("k" + i); await new Promise(() => {}); }`,
      },
    }),
    policy: { timeouts: { default: 5000, init: 3000 } },
    async run({ driver, event, told }) {
      await assert.rejects(driver().createNetwork("n"));
      await event("plugin:restarting", "ERR_PLUGIN_CRASHED");
      told("ERR_PLUGIN_CRASHED");
      return "plugin ended";
    },
  },
  {
    item: 43,
    title:
      "store calls that cost the host much and give nothing: each waits for its turn, and the platform's thread stays free",
    source: hostile({
      top: "let store;",
      init: `store = powers.store;
        const many = {};
        for (let n = 0; n < 7000; n++) many[((n * 7919) % 7000).toString(36).padStart(3, "z")] = 0;
        await store.set("k", many);`,
      methods: {
        createNetwork: `createNetwork() { const again = () => { store.compareAndSet("k", null, 1).then(again, () => {}); }; for (let i = 0; i < 256; i++) again(); }`,
      },
    }),
    policy: { timeouts: { default: 5000, init: 3000 } },
    async run({ endpoint, log, info, pulse }) {
      await endpoint();
      await until(() => log.some(({ message }) => /host's own thread/.test(message)), "the report", 15_000);
      await pulse.answers(60);
      assert.equal(info().counters.restarts, 0);
      return "refused inside";
    },
  },
  {
    item: 44,
    title: "replies of 100 MB and of a million entries, in every shape a reply has",
    // Room for what it builds: what outgrows a worker is item 34's and 35's.
    policy: { timeouts: { default: 5000, init: 5000 }, limits: { memoryMb: 128 } },
    source: hostile({
      init: `
        const long = "x".repeat(1e8);
        attempt("store value", () => powers.store.set("k", long)); attempt("store text", () => powers.store.set("k", "\\u0000".repeat(200000))); attempt("store list", () => powers.store.set("k", Array(1e6).fill(0))); attempt("store key", () => powers.store.get(long));
        attempt("type", () => callback.registerDriver(long, {})); attempt("prefix", () => powers.store.keys(long));
        await settled();`,
      methods: {
        endpointOperInfo: `endpointOperInfo() { const mode = saw.mode = (saw.mode ?? 0) + 1; return [saw, { a: "x".repeat(1e8) }, { a: Array(1e6).fill(1) }, Object.fromEntries(Array.from({ length: 3e4 }, (_, i) => ["k" + i, i])), { ["x".repeat(1e6)]: 1 }, { a: "\\u0000".repeat(2e5) }, saw][mode] ?? saw; }`,
        createEndpoint: `createEndpoint(nid, eid, info) { if (eid === "e") { info.addInterface(0, "", "10.9.9.2/24"); return; } let n = 0; try { for (;; n++) info.addInterface(n, "", "", ""); } catch (error) { saw.interfaces = n; throw error; } }`,
        join: `join(nid, eid, key, info) { let n = 0; try { for (;; n++) info.addStaticRoute("10.1." + (n % 200) + ".0/24", 1, "", 0); } catch (error) { saw.routes = n; throw error; } }`,
      },
    }),
    async run({ endpoint, driver, info }) {
      await endpoint();
      await assert.rejects(driver().createEndpoint("n", "many", new EndpointConfig()), { code: "ERR_DRIVER_FAILED" });
      await assert.rejects(driver().join("n", "e", "sandbox", new JoinConfig([0])), { code: "ERR_DRIVER_FAILED" });
      for (let mode = 1; mode <= 5; mode++)
        await assert.rejects(driver().endpointOperInfo("n", "e"), { code: "ERR_DRIVER_REPLY" }, `mode ${mode}`);
      const { mode, interfaces, routes, prefix, ...saw } = await driver().endpointOperInfo("n", "e");
      assert.deepEqual({ mode, interfaces, routes }, { mode: 6, interfaces: 256, routes: 1024 });
      void prefix;
      for (const [name, what] of Object.entries(saw)) assert.match(String(what), /^threw /, `${name}: ${what}`);
      assert.equal(info().counters.restarts, 0);
      assert.equal(info().counters.violations, 0);
      return "refused inside";
    },
  },
  {
    item: 45,
    title: "netlink that nobody granted: no such power, and churn of networks leaves nothing",
    source: hostile({
      top: `const mine = new Map();`,
      init: `attempt("netlink", () => powers.netlink.createLink({ name: "bh0", kind: "bridge" })); attempt("firewall", () => powers.firewall.allow()); attempt("fetch", () => powers.fetch("http://127.0.0.1/")); saw.powers = Object.keys(powers).sort().join();`,
      methods: {
        createNetwork: "createNetwork(nid) { mine.set(nid, 1); }",
        deleteNetwork: "deleteNetwork(nid) { mine.delete(nid); saw.left = mine.size; }",
      },
    }),
    async run({ report, driver }) {
      for (let round = 0; round < 200; round++) {
        await driver().createNetwork(`churn${round}`);
        await driver().deleteNetwork(`churn${round}`);
      }
      const { left, powers, ...saw } = await report();
      assert.deepEqual({ left, powers }, { left: 0, powers: "log,random,store" });
      for (const [name, what] of Object.entries(saw))
        assert.match(String(what), /^threw TypeError/, `${name}: ${what}`);
      return "refused inside";
    },
  },
];
