/** Class H, lies: drivers that say what is not so, and claim what is not theirs. */
import { strict as assert } from "node:assert";
import { networkInterfaces } from "node:os";
import { EndpointConfig } from "#dist/driverapi/endpoint-config.js";
import { JoinConfig } from "#dist/driverapi/join-config.js";
import type { HostileCase } from "../case.js";
import { hostile } from "../source.js";

const SHAPE = `const shape = (type) => ({ type, config() {}, createNetwork() {}, deleteNetwork() {}, createEndpoint() {}, deleteEndpoint() {}, endpointOperInfo() {}, join() {}, leave() {} });`;
/** Notes the code of each refused registration. */
const TRY = `${SHAPE} const codes = {}; const tried = async (label, ...args) => { try { await register(...args); codes[label] = "registered"; } catch (error) { codes[label] = error.code; } }; let register;`;

const own = Object.values(networkInterfaces())
  .flatMap((all) => all ?? [])
  .find((one) => !one.internal && one.family === "IPv4");

export const LIES: readonly HostileCase[] = [
  {
    item: 51,
    title: "type() that differs, changes, throws, or is not a string",
    source: hostile({
      top: TRY,
      init: `register = callback.registerDriver; let n = 0;
        await tried("differs", "hostile", shape(() => "neighbour"), { scope: "local" });
        await tried("throws", "hostile", shape(() => { throw Object.assign(new Error("x"), { code: "ERR_MINE" }); }), { scope: "local" });
        await tried("object", "hostile", shape(() => ({ toString: () => "hostile" })), { scope: "local" });
        await tried("boxed", "hostile", shape(() => new String("hostile")), { scope: "local" });
        await tried("changes", "hostile", shape(() => (n++ === 0 ? "other" : "hostile")), { scope: "local" });
        Object.assign(saw, codes); let asked = 0; saw.asked = 0;`,
      methods: { type: `type() { saw.asked++; return saw.asked === 1 ? "hostile" : "neighbour"; }` },
    }),
    async run({ report, driver }) {
      assert.deepEqual(
        { ...(await report()) },
        {
          differs: "ERR_DRIVER_SHAPE",
          throws: "ERR_MINE",
          object: "ERR_DRIVER_SHAPE",
          boxed: "ERR_DRIVER_SHAPE",
          changes: "ERR_DRIVER_SHAPE",
          asked: 1,
        },
      );
      assert.equal(driver().type(), "hostile");
      return "refused inside";
    },
  },
  {
    item: 52,
    policy: { timeouts: { default: 10_000, init: 3000 } },
    title: "a name that is taken, dotted, __proto__, empty, of 10 MB, or no string",
    source: {
      "plugin.json": `{ "main": "index.js", "networkTypes": ["hostile", "neighbour", "constructor"] }`,
      "index.js": hostile({
        top: TRY,
        // Tried in a call: at the start, the first plugin gets a type that two declare.
        init: "register = callback.registerDriver;",
        methods: {
          createNetwork: `async createNetwork() {
            for (const name of ["neighbour", "a.b", "__proto__", "toString", "", " hostile", "hostile\\n", "x".repeat(1e7), "Hostile"]) await tried(name.length > 20 ? "long" : name, name, shape(() => name), { scope: "local" });
          await tried("number", 1, shape(() => 1), { scope: "local" }); await tried("object", { toString: () => "hostile" }, shape(() => "hostile"), { scope: "local" }); await tried("none");
          await tried("constructor", "constructor", shape(() => "constructor"), { scope: "local" });
          saw.codes = Object.entries(codes).map((one) => one.join(": ")).join("\\n");
            await tried("again", "hostile", shape(() => "hostile"), { scope: "local" }); saw.again = codes.again;
          }`,
        },
      }),
    },
    async run({ report, host, told }) {
      const saw = await report();
      assert.equal(
        saw.codes,
        [
          "neighbour: ERR_DRIVER_EXISTS",
          "a.b: ERR_TYPE_NAME",
          ": ERR_TYPE_NAME",
          " hostile: ERR_TYPE_NAME",
          "hostile\n: ERR_TYPE_NAME",
          "long: ERR_TYPE_NAME",
          "Hostile: ERR_TYPE_NOT_DECLARED",
          "number: ERR_TYPE_NAME",
          "object: ERR_TYPE_NAME",
          "none: ERR_TYPE_NAME",
          "constructor: registered",
        ]
          .join("\n")
          // Assigning __proto__ on the plugin's own record is lost there; "toString" stands in its place.
          .replace(": ERR_TYPE_NAME\n hostile", "toString: ERR_TYPE_NOT_DECLARED\n: ERR_TYPE_NAME\n hostile"),
      );
      assert.equal(saw.again, "ERR_DRIVER_EXISTS");
      for (const code of ["ERR_DRIVER_EXISTS", "ERR_TYPE_NAME", "ERR_TYPE_NOT_DECLARED"]) told(code);
      assert.equal(host.driver("neighbour").type(), "neighbour");
      assert.throws(() => host.driver("__proto__"), { code: "ERR_DRIVER_NOT_FOUND" });
      assert.throws(() => host.driver("toString"), { code: "ERR_DRIVER_NOT_FOUND" });
      return "refused inside";
    },
  },
  {
    item: 53,
    title: "a scope or a network type that was not granted",
    source: hostile({
      top: TRY,
      init: `register = callback.registerDriver;
        await tried("global", "hostile", shape(() => "hostile"), { scope: "global" }); await tried("odd", "hostile", shape(() => "hostile"), { scope: "cluster" }); await tried("none", "hostile", shape(() => "hostile")); await tried("array", "hostile", shape(() => "hostile"), { scope: ["local"] }); await tried("type", "bridge", shape(() => "bridge"), { scope: "local" });
        Object.assign(saw, codes);`,
    }),
    async run({ report, told }) {
      assert.deepEqual(
        { ...(await report()) },
        {
          global: "ERR_SCOPE_NOT_GRANTED",
          odd: "ERR_BAD_CAPABILITY",
          none: "ERR_BAD_CAPABILITY",
          array: "ERR_BAD_CAPABILITY",
          type: "ERR_TYPE_NOT_DECLARED",
        },
      );
      told("ERR_SCOPE_NOT_GRANTED");
      told("ERR_TYPE_NOT_DECLARED");
      return "refused inside";
    },
  },
  {
    item: 54,
    title: "interfaces and joins that claim what is the host's, or add to a given list",
    source: hostile({
      methods: {
        createEndpoint: `createEndpoint(nid, eid, info, options) { if (eid === "e") { info.addInterface(0, "", "10.9.9.2/24"); return; } if (eid === "given") { attempt("given", () => info.addInterface(9, "", "10.9.9.9/24")); return; } info.addInterface(0, "", options.v4 ?? "", options.v6 ?? ""); }`,
        join: `join(nid, eid, key, info, options) { if (options.route) info.addStaticRoute(options.route, 1, "", 0); if (options.name) info.interfaceNames()[0].setNames(options.name, "eth"); if (options.other) attempt("other", () => info.addStaticRoute("10.0.0.0/8", 1, "", 7)); }`,
        deleteEndpoint: `deleteEndpoint(nid, eid) { saw.undone = (saw.undone ?? 0) + 1; }`,
        leave: `leave() { saw.left = (saw.left ?? 0) + 1; }`,
      },
    }),
    async run({ endpoint, driver, info }) {
      await endpoint();
      const addresses = [
        { v4: "127.0.0.1/8" },
        { v4: "224.0.0.1/4" },
        { v4: "0.0.0.0/0" },
        { v6: "::1/128" },
        { v6: "ff02::1/16" },
        ...(own ? [{ v4: `${own.address}/24` }] : []),
      ];
      for (const [i, options] of addresses.entries()) {
        const epInfo = new EndpointConfig();
        await assert.rejects(
          driver().createEndpoint("n", `bad${i}`, epInfo, options),
          { code: "ERR_DRIVER_REPLY", message: /; rolled back$/ },
          JSON.stringify(options),
        );
        assert.deepEqual(epInfo.interfaces(), []);
      }
      for (const options of [
        { route: "0.0.0.0/0" },
        { route: "::/0" },
        { route: "0.0.0.0/1" },
        { route: "128.0.0.0/1" },
        { route: "8000::/1" },
        { name: "lo" },
      ]) {
        await assert.rejects(
          driver().join("n", "e", "sandbox", new JoinConfig([0]), options),
          { code: "ERR_DRIVER_REPLY", message: /; rolled back$/ },
          JSON.stringify(options),
        );
      }
      const given = new EndpointConfig();
      given.addInterface(0, "", "10.9.9.5/24", "");
      await driver().createEndpoint("n", "given", given);
      assert.equal(given.interfaces().length, 1);
      await driver().join("n", "e", "sandbox", new JoinConfig([0]), { other: true });
      const saw = await driver().endpointOperInfo("n", "e");
      assert.match(String(saw.given), /^threw /);
      assert.match(String(saw.other), /^threw /);
      assert.deepEqual([saw.undone, saw.left], [addresses.length, 6]);
      assert.equal(info().counters.restarts, 0);
      return "refused inside";
    },
  },
  {
    item: 55,
    title: "link names that are options, shell, paths, or too long",
    source: hostile({
      methods: {
        createEndpoint: `createEndpoint(nid, eid, info) { info.addInterface(0, "", "10.9.9.2/24"); }`,
        join: `join(nid, eid, key, info) { const one = info.interfaceNames()[0]; for (const name of ["-batch", "--help", ";rm -rf", "a b", "a/b", "../x", "..", ".", "", "x".repeat(16), "a\\n", "a\\0", "$(id)" + " ", "a:1", "eth%d", "\\u00e9th", "\\ud800", "x".repeat(1e6)]) { const label = JSON.stringify(name.slice(0, 20)); if (name !== "") attempt("src " + label, () => one.setNames(name, "eth")); attempt("dst " + label, () => one.setNames("mine", name)); } attempt("object", () => one.setNames({ toString: () => "x" }, "eth")); }`,
      },
    }),
    async run({ endpoint, driver }) {
      await endpoint();
      await driver().join("n", "e", "sandbox", new JoinConfig([0]));
      const { 'dst ""': empty, ...saw } = await driver().endpointOperInfo("n", "e");
      void empty;
      assert.ok(Object.keys(saw).length > 30);
      for (const [name, what] of Object.entries(saw)) assert.match(String(what), /^threw /, `${name}: ${what}`);
      return "refused inside";
    },
  },
  {
    item: 56,
    title: "waiting on the host, again and again: the deadline is the call's own, and so is the end",
    source: hostile({
      top: "let store;",
      init: "store = powers.store;",
      methods: {
        createNetwork: `async createNetwork(nid, options) { for (;;) { await Promise.all([store.get("a"), store.set("b", 1)]); if (options.block) for (const end = Date.now() + 300; Date.now() < end; ); } }`,
      },
    }),
    async run({ driver, event, told, events }) {
      for (const options of [{}, { block: true }]) {
        const started = performance.now();
        await assert.rejects(driver().createNetwork(`n${String(options.block)}`, options), (error: { code?: string }) =>
          /^ERR_(DRIVER_TIMEOUT|OUTCOME_UNKNOWN|DRIVER_BUSY)$/.test(error.code ?? ""),
        );
        assert.ok(performance.now() - started < 2500);
      }
      await event("plugin:restarting", "ERR_PLUGIN_BLOCKED");
      told("ERR_PLUGIN_BLOCKED");
      assert.ok(events.some((one) => one.name === "call:timeout"));
      return "plugin ended";
    },
  },
];
