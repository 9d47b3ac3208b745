/** Class C, tamper: what a plugin tries to change, and values that change between check and use. */
import { strict as assert } from "node:assert";
import type { DriverError } from "#dist/driverapi/errors.js";
import { JoinConfig } from "#dist/driverapi/join-config.js";
import type { HostileCase } from "../case.js";
import { hostile } from "../source.js";

const refused = async (call: Promise<unknown>): Promise<DriverError> =>
  call.then(
    () => assert.fail("the call was answered"),
    (error: DriverError) => error,
  );

export const TAMPER: readonly HostileCase[] = [
  {
    item: 21,
    title: "every intrinsic there is, by assignment, definition, deletion and a new prototype",
    source: hostile({
      top: `
      const seen = new Set(), open = [];
      const walk = (value, path) => {
        if ((typeof value !== "object" && typeof value !== "function") || value === null || seen.has(value) || value === globalThis || value === Reflect || value === saw || value === pending) return;
        seen.add(value);
        for (const act of [() => { value.injected = 1; }, () => Object.defineProperty(value, "injected", { value: 1 }), () => Object.setPrototypeOf(value, { injected: 1 })]) {
          try { act(); } catch {}
        }
        if (Object.hasOwn(value, "injected") || Object.isExtensible(value)) open.push(path);
        for (const key of Reflect.ownKeys(value)) {
          const d = Reflect.getOwnPropertyDescriptor(value, key);
          if (d.configurable || d.writable) open.push(path + "." + String(key));
          walk(d.value, path + "." + String(key)); walk(d.get, path + ".get " + String(key)); walk(d.set, path + ".set " + String(key));
        }
        walk(Reflect.getPrototypeOf(value), path + ".__proto__");
      };
      for (const key of Reflect.ownKeys(globalThis)) { try { const it = globalThis[key]; if (![saw, pending, loot, threw, attempt, settled].includes(it)) walk(it, String(key)); } catch {} }
      // The plugin's own, as globalThis is: it may grow, and what it has from the realm stays.
      for (const key of Reflect.ownKeys(Reflect)) { const d = Reflect.getOwnPropertyDescriptor(Reflect, key); if (d.configurable || d.writable) open.push("Reflect." + String(key)); walk(d.value, "Reflect." + String(key)); }
      for (const it of [function* () {}, async () => {}, async function* () {}, [].values(), "".matchAll(/x/g)]) walk(Object.getPrototypeOf(it), "hidden");
      saw.count = seen.size;
      saw.open = open.slice(0, 10).join(" ");`,
    }),
    async run({ report }) {
      const saw = await report();
      assert.ok(Number(saw.count) > 500, `only ${saw.count} objects`);
      assert.equal(saw.open, "");
      return "refused inside";
    },
  },
  {
    item: 22,
    title: "Promise.prototype.then, Array.prototype, JSON, Map, Symbol hooks: the runtime's own machinery",
    source: hostile({
      top: `
      const targets = { "Promise.prototype.then": [Promise.prototype, "then"], "Promise.resolve": [Promise, "resolve"], species: [Promise, Symbol.species], "Array.prototype.map": [Array.prototype, "map"],
        "Array.prototype.0": [Array.prototype, "0"], iterator: [Array.prototype, Symbol.iterator], next: [Object.getPrototypeOf([].values()), "next"], "Object.prototype.toJSON": [Object.prototype, "toJSON"], "Object.prototype.then": [Object.prototype, "then"],
        "Object.prototype.type": [Object.prototype, "type"], "Object.prototype.get": [Object.prototype, "get"], stringify: [JSON, "stringify"], parse: [JSON, "parse"], "Map.prototype.get": [Map.prototype, "get"],
        call: [Function.prototype, "call"], hasInstance: [Function.prototype, Symbol.hasInstance], "String.prototype.slice": [String.prototype, "slice"], exec: [RegExp.prototype, "exec"], apply: [Reflect, "apply"], freeze: [Object, "freeze"] };
      for (const [name, [target, key]] of Object.entries(targets)) {
        attempt(name, () => { target[key] = () => { throw new Error("mine"); }; });
        attempt(name + " defined", () => { Object.defineProperty(target, key, { get() { throw new Error("mine"); }, configurable: true }); });
      }`,
    }),
    async run({ report }) {
      for (const [name, what] of Object.entries(await report()))
        assert.match(String(what), /^threw TypeError/, `${name}: ${what}`);
      return "refused inside";
    },
  },
  {
    item: 23,
    title: "endowments: callback, powers, console, ctx, epInfo and jinfo are as they were",
    source: hostile({
      top: `const poke = (name, value, key) => { attempt(name + " set", () => { value[key] = 1; }); attempt(name + " define", () => { Object.defineProperty(value, key, { value: 1 }); }); attempt(name + " delete", () => { delete value[key]; }); attempt(name + " add", () => { value.mine = 1; }); attempt(name + " prototype", () => { Object.setPrototypeOf(value, {}); }); };`,
      init: `poke("callback", callback, "registerDriver"); poke("powers", powers, "store"); poke("store", powers.store, "get"); poke("console", console, "log"); poke("setTimeout", setTimeout, "name"); poke("Date", Date, "now"); poke("Math", Math, "random"); poke("URL", URL.prototype, "href");`,
      methods: {
        createNetwork: `createNetwork(nid, options, ctx) { poke("ctx", ctx, "replay"); poke("signal", ctx.signal, "aborted"); }`,
        createEndpoint: `createEndpoint(nid, eid, info) { poke("epInfo", info, "addInterface"); info.addInterface(0, "", "10.9.9.2/24"); const list = info.interfaces(); poke("list", list, "0"); poke("interface", list[0], "address"); }`,
      },
    }),
    async run({ report }) {
      const entries = Object.entries(await report());
      assert.equal(entries.length, 13 * 5);
      for (const [name, what] of entries) assert.match(String(what), /^threw TypeError/, `${name}: ${what}`);
      return "refused inside";
    },
  },
  {
    item: 24,
    title: "a driver and a capability that change between check and use",
    source: hostile({
      init: `
        let reads = 0;
        const names = ["config", "createNetwork", "deleteNetwork", "createEndpoint", "deleteEndpoint", "join", "leave"];
        const shape = { type: () => "hostile", endpointOperInfo: () => ({ reads }) };
        for (const name of names) Object.defineProperty(shape, name, { enumerable: true, get() { reads++; if (reads > names.length) throw new Error("read again"); return () => {}; } });
        const swapping = new Proxy(shape, { get: (target, key) => { saw[String(key)] = (saw[String(key)] ?? 0) + 1; return target[key]; }, has() { throw new Error("has"); }, ownKeys() { throw new Error("ownKeys"); }, getPrototypeOf() { throw new Error("getPrototypeOf"); } });
        let scopes = 0;
        await callback.registerDriver("hostile", swapping, { get scope() { return scopes++ === 0 ? "local" : "global"; } });
        return;`,
    }),
    async run({ report, host }) {
      assert.deepEqual({ ...(await report()) }, { reads: 7 });
      assert.equal(host.driver("hostile").type(), "hostile");
      return "refused inside";
    },
  },
  {
    item: 24,
    title: "arguments of epInfo and jinfo, and replies, with getters, proxies and valueOf",
    source: hostile({
      top: `let ran = ""; const bait = { valueOf() { ran += "valueOf "; return 0; }, toString() { ran += "toString "; return "10.9.9.2/24"; }, [Symbol.toPrimitive]() { ran += "toPrimitive "; return 0; } };`,
      methods: {
        createEndpoint: `createEndpoint(nid, eid, info) {
          attempt("id", () => info.addInterface(bait)); attempt("mac", () => info.addInterface(0, bait)); attempt("ipv4", () => info.addInterface(0, "", bait)); attempt("array", () => info.addInterface([0])); attempt("boxed", () => info.addInterface(0, "", new String("10.9.9.2/24")));
          saw.ran = ran; info.addInterface(0, "", "10.9.9.2/24", ""); }`,
        join: `join(nid, eid, key, info) { attempt("gateway", () => info.setGateway(bait)); attempt("route", () => info.addStaticRoute(bait, bait, bait, bait)); attempt("names", () => info.interfaceNames()[0].setNames(bait, bait)); saw.joined = ran; }`,
        endpointOperInfo: `endpointOperInfo(nid, eid) { const mode = saw.mode = (saw.mode ?? 0) + 1; if (mode === 1) return new Proxy(saw, { ownKeys() { throw new Error("ownKeys"); } }); if (mode === 2) return { get a() { ran += "getter "; return 1; } }; if (mode === 3) return new (class { a = 1; })(); if (mode === 4) return { a: bait.valueOf }; if (mode === 5) { const it = {}; it.it = it; return it; } if (mode === 6) return JSON.parse('{"__proto__":{"polluted":1}}'); saw.ran = ran; return saw; }`,
      },
    }),
    async run({ endpoint, driver }) {
      await endpoint();
      await driver().join("n", "e", "sandbox", new JoinConfig([0]));
      for (let mode = 1; mode <= 6; mode++) {
        const error = await refused(driver().endpointOperInfo("n", "e"));
        assert.ok(error.code === "ERR_DRIVER_FAILED" || error.code === "ERR_DRIVER_REPLY", `${mode}: ${error.code}`);
        assert.match(error.message, /endpointOperInfo/, `${mode}: ${error.message}`);
      }
      const { ran, joined, mode, ...saw } = await driver().endpointOperInfo("n", "e");
      assert.deepEqual({ ran, joined, mode }, { ran: "", joined: "", mode: 7 });
      for (const [name, what] of Object.entries(saw)) assert.match(String(what), /^threw /, `${name}: ${what}`);
      assert.equal(Object.hasOwn(Object.prototype, "polluted"), false);
      return "refused inside";
    },
  },
  {
    item: 24,
    title: "a bundle's exports behind a getter and a proxy",
    source: `let reads = 0;
const target = { init: (callback) => callback.registerDriver("hostile", { type: () => "hostile", config() {}, createNetwork() {}, deleteNetwork() {}, createEndpoint() {}, deleteEndpoint() {}, endpointOperInfo: () => ({ reads }), join() {}, leave() {} }, { scope: "local" }) };
module.exports = new Proxy(target, { get(it, key) { reads++; return it[key]; }, getPrototypeOf() { throw new Error("looked at"); } });`,
    async run({ info, host }) {
      // Whatever the bundler makes of it, it loads as a driver that was asked, or is refused with a reason.
      if (info().state === "refused") assert.match(info().refusal?.code ?? "", /^ERR_PLUGIN_/);
      else assert.equal(host.driver("hostile").type(), "hostile");
      return info().state === "refused" ? "plugin ended" : "refused inside";
    },
  },
  {
    item: 25,
    title: "toJSON that switches, in replies, in the store and in the log",
    source: hostile({
      init: `
        let ran = 0;
        const switching = { toJSON() { ran++; return ran === 1 ? {} : { toString: 1 }; }, a: 1 };
        attempt("own", () => powers.store.set("k", switching));
        attempt("inherited", () => powers.store.set("k", Object.create({ toJSON() { ran++; return 1; } })));
        attempt("hidden", () => powers.store.set("h", Object.defineProperty({ a: 1 }, "toJSON", { value: () => { ran++; return 2; } })));
        await settled();
        console.log(switching);
        saw.stored = JSON.stringify(await powers.store.get("h"));
        saw.ran = ran;`,
    }),
    async run({ report }) {
      const saw = await report();
      assert.equal(saw.ran, 0);
      assert.equal(saw.stored, `{"a":1}`);
      assert.match(String(saw.own), /^threw TypeError/);
      assert.match(String(saw.inherited), /^threw TypeError/);
      return "refused inside";
    },
  },
  {
    item: 26,
    title: "thenables as results: called once, late, twice, with more of their kind, or never",
    source: hostile({
      top: `let round = 0;`,
      methods: {
        endpointOperInfo: `endpointOperInfo() { round++;
          const then = { 1: (ok) => { ok({ round: 1 }); ok({ round: 9 }); throw new Error("late"); }, 2: (ok, no) => no({ then(x) { x("thrown"); }, message: "odd" }), 3: (ok) => ok({ then: (ok2) => ok2({ round: 3 }) }), 4: () => {}, 5: (ok) => { const again = { then: (next) => next(again) }; ok(round > 5 ? {} : again); } }[round];
          return then ? { get then() { return then; } } : saw; }`,
      },
    }),
    async run({ endpoint, driver, event }) {
      await endpoint();
      const ask = (): Promise<Readonly<Record<string, unknown>>> => driver().endpointOperInfo("n", "e");
      assert.deepEqual({ ...(await ask()) }, { round: 1 });
      assert.equal((await refused(ask())).message, "odd");
      assert.deepEqual({ ...(await ask()) }, { round: 3 });
      assert.equal((await refused(ask())).code, "ERR_DRIVER_TIMEOUT");
      // The last is a chain of microtasks without end: the worker is blocked, and ended.
      const last = await refused(ask());
      assert.match(last.code, /^ERR_(DRIVER_TIMEOUT|OUTCOME_UNKNOWN|DRIVER_BUSY)$/);
      await event("plugin:restarting", "ERR_PLUGIN_BLOCKED");
      return "plugin ended";
    },
  },
];
