/** Class A, escape: every object that reaches a plugin, walked to its ends. */
import { strict as assert } from "node:assert";
import { symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { JoinConfig } from "#dist/driverapi/join-config.js";
import type { HostileCase } from "../case.js";
import { GIVEN } from "../globals.js";
import { hostile } from "../source.js";

/**
 * In the plugin: walks what hangs on a value (own properties of any kind, getters and setters as functions, prototypes) and
 * notes each object that is neither the compartment's own nor frozen, and each whose prototype is not one of its intrinsics.
 */
const WALK = `
const reach = (roots, seen) => {
  const todo = roots.map((value, i) => [value, "#" + i]);
  const found = new Map();
  for (let next; (next = todo.pop()); ) {
    const [value, path] = next;
    if ((typeof value !== "object" && typeof value !== "function") || value === null || seen.has(value) || found.has(value)) continue;
    found.set(value, path);
    for (const key of Reflect.ownKeys(value)) {
      const d = Reflect.getOwnPropertyDescriptor(value, key);
      for (const part of ["value", "get", "set"]) if (part in d) todo.push([d[part], path + "." + String(key)]);
      if (d.get) try { todo.push([Reflect.apply(d.get, value, []), path + "." + String(key) + "()"]); } catch (error) { todo.push([error, path + "." + String(key) + "!"]); }
    }
    todo.push([Reflect.getPrototypeOf(value), path + ".__proto__"]);
  }
  return found;
};
const own = [globalThis, function () {}, async () => {}, function* () {}, async function* () {}, [][Symbol.iterator](), new Map().entries(), new Set().values(), "".matchAll(/x/g), ""[Symbol.iterator](), new (class { get a() { return 1; } })()];
let intrinsics;
const walk = (name, value, fresh = []) => {
  intrinsics ??= new Set(reach(own, new Set()).keys());
  const found = reach([value], intrinsics);
  const wrong = [];
  for (const [object, path] of found) {
    const proto = Reflect.getPrototypeOf(object);
    if (proto !== null && !intrinsics.has(proto) && !found.has(proto)) wrong.push(path + " has a foreign prototype");
    if (!Object.isFrozen(object) && !fresh.includes(object)) wrong.push(path + " is not frozen");
    if (typeof object === "function" && Object.hasOwn(object, "prototype") && !Object.isFrozen(object.prototype)) wrong.push(path + ".prototype is open");
    for (const key of ["constructor"]) { const it = object[key]; if (it !== undefined && it !== null && !intrinsics.has(it) && !found.has(it)) wrong.push(path + "." + key + " is foreign"); }
  }
  saw[name] = wrong.length ? wrong.slice(0, 10).join("; ") : "sound";
};
const walkThrown = (name, fn) => {
  try { fn(); saw[name] = "did not throw"; } catch (error) {
    walk(name, error, [error]);
    if (error.stack !== undefined && error.stack !== "" && /[/\\\\]|node:/.test(String(error.stack))) saw[name] = "stack: " + error.stack;
    for (const key of Reflect.ownKeys(error)) if (typeof error[key] === "object" && error[key] !== null) saw[name] = "carries " + String(key);
  }
};
`;

export const OBJECTS: readonly HostileCase[] = [
  {
    item: 9,
    title: "every endowment, walked by property, getter and prototype",
    // A long walk.
    policy: { timeouts: { default: 5000, init: 10_000 } },
    source: hostile({
      top: WALK,
      // SES gives a new function to each who asks for Error.prepareStackTrace.
      init: `
        saw["prepareStackTrace"] = Error.prepareStackTrace === undefined || Error.prepareStackTrace !== Error.prepareStackTrace ? "sound" : "shared";
        walk("callback", callback); walk("powers", powers);
        for (const name of ${JSON.stringify(GIVEN)}) {
          let wrong = 0;
          for (const [object, path] of reach([globalThis[name]], new Set())) if (!Object.isFrozen(object) && !path.includes("!") && !path.endsWith(".prepareStackTrace()")) wrong++;
          saw[name] = wrong === 0 ? "sound" : wrong + " not frozen";
        }
        const params = new URL("http://a/?b=1").searchParams;
        walk("params", params, [params]);
        for (const [name, it] of [["keys", params.keys()], ["entries", params.entries()], ["symbol", params[Symbol.iterator]()]]) walk(name, it, [it]);
        const bytes = powers.random.bytes(1); walk("bytes", bytes, [bytes, bytes.buffer]);
        const encoded = new TextEncoder().encode("x"); saw["pool"] = encoded.buffer.byteLength === 1 && bytes.buffer.byteLength === 1 ? "sound" : "a shared pool";
        const handle = setTimeout(() => {}, 1); walk("handle", handle); walk("handle of an interval", clearInterval(setInterval(() => {}, 1)) ?? setImmediate(() => {}));
        const filled = crypto.getRandomValues(new Uint8Array(8)); walk("filled", filled, [filled, filled.buffer]);
        const event = new Event("x"), target = new EventTarget(), controller = new AbortController(), aborted = AbortSignal.abort(), error = new DOMException("m", "n");
        target.addEventListener("x", (one) => walk("event in a listener", one, [one, target])); target.dispatchEvent(event);
        for (const [name, it] of Object.entries({ event, target, controller, signal: controller.signal, aborted, "reason of one": aborted.reason, any: AbortSignal.any([aborted]), error })) walk(name + " of the plugin's", it, [it]);
        for (const name of Object.getOwnPropertyNames(Intl)) {
          if (!Object.hasOwn(Intl[name], "prototype")) continue;
          const it = new Intl[name](); const options = it.resolvedOptions(); walk("Intl." + name, it, [it]); walk(name + " options", options, [options, ...Object.values(options)]);
          for (const method of ["format", "compare"]) { const bound = it[method]; if (bound !== undefined) walk(name + "." + method, bound, [bound]); }
        }
        const parts = new Intl.NumberFormat().formatToParts(1.5); walk("parts", parts, [parts, ...parts]);
        const segments = new Intl.Segmenter().segment("ab"); walk("segments", segments, [segments, ...segments]);
        const locales = Intl.getCanonicalLocales("de"); walk("locales", locales, [locales]);
        const cloned = structuredClone({ date: new Date(0), floats: new Float64Array(1) }); walk("cloned", cloned, [cloned, cloned.date, cloned.floats, cloned.floats.buffer]);
        saw.reflect = Object.getOwnPropertyNames(Reflect).every((name) => Object.isFrozen(Reflect[name])) ? "sound" : "open";`,
      methods: {
        createNetwork: `createNetwork(nid, options, ctx) { walk("options", options, [options]); walk("ctx", ctx); walk("signal", ctx.signal); walk("arguments", [...arguments].slice(3), [arguments]); }`,
        createEndpoint: `createEndpoint(nid, eid, info, options, ctx) { walk("epInfo", info); info.addInterface(0, "", "10.9.9.2/24", ""); walk("interfaces", info.interfaces()); }`,
        join: `join(nid, eid, key, info, options, ctx) { walk("jinfo", info); walk("names", info.interfaceNames()); walk("ctx of join", ctx); }`,
      },
    }),
    async run({ endpoint, driver, report }) {
      await endpoint();
      await driver().join("n", "e", "sandbox", new JoinConfig([0]));
      const saw = await report();
      // What was walked beside the argument lists, which are the plugin's own.
      const { arguments: _own, ...walked } = saw;
      for (const [name, what] of Object.entries(walked)) assert.equal(what, "sound", `${name}: ${what}`);
      assert.ok(Object.keys(walked).length > 25);
      return "refused inside";
    },
  },
  {
    item: 4,
    title: "errors and promises of the runtime, and a stack overflow in each endowment",
    // Half a second of work on a machine of its own.
    policy: { timeouts: { default: 5000, init: 10_000 } },
    source: hostile({
      top: `${WALK}
      const deep = (fn) => { let edge, last, tries = 60; const down = () => { try { down(); } catch (error) { edge ??= error; if (tries-- > 0) try { fn(); } catch (inner) { last = inner; } throw error; } }; try { down(); } catch {} return last ?? edge; };
      // Never with a regular expression: compiled at the edge of the stack, one aborts V8 (item 39).
      const plain = (name, fn) => walkThrown(name, fn);
      const throwing = (name, fn) => { walkThrown(name, fn); walkThrown(name + " at the edge", () => { throw deep(fn); }); };`,
      init: `
        throwing("setTimeout", () => setTimeout("text"));
        throwing("setInterval", () => setInterval(1));
        throwing("queueMicrotask", () => queueMicrotask());
        plain("URL", () => new URL("no"));
        plain("TextDecoder", () => new TextDecoder("no"));
        throwing("TextEncoder", () => new TextEncoder().encode(Symbol()));
        throwing("structuredClone", () => structuredClone(() => {}));
        throwing("random", () => powers.random.bytes(-1));
        plain("log", () => powers.log("no", "x"));
        throwing("private", () => TextDecoder.prototype.decode.call({}));
        throwing("date", () => new Date(NaN).toISOString());
        throwing("json", () => JSON.parse("{"));
        plain("regexp", () => new RegExp("("));
        plain("atob", () => atob("*")); plain("btoa", () => btoa("\u20ac"));
        throwing("aborted", () => AbortSignal.abort().throwIfAborted()); throwing("AbortSignal", () => new AbortSignal()); throwing("dispatchEvent", () => new EventTarget().dispatchEvent({}));
        throwing("getRandomValues", () => crypto.getRandomValues([])); throwing("Intl", () => new Intl.NumberFormat("en", { style: "no" }));
        throwing("Intl zone", () => new Intl.DateTimeFormat("en", { timeZone: "No/Where" })); throwing("Intl date", () => new Intl.DateTimeFormat().format(NaN)); throwing("Intl this", () => Intl.PluralRules.prototype.select.call({}, 1));
        plain("eval", () => (0, eval)("("));
        throwing("bigint", () => 1n / 0n);
        for (const [name, ask] of Object.entries({ store: () => powers.store.get({}), register: () => callback.registerDriver({}), full: () => powers.store.set("k", "x".repeat(70000)), shape: () => callback.registerDriver("x", {}) })) {
          const promise = ask();
          walk(name, promise, [promise]);
          try { await promise; saw[name] = "resolved"; } catch (error) { walkThrown(name + " rejection", () => { throw error; }); }
        }
        console.log("still here");`,
      methods: {
        createNetwork: `createNetwork(nid, options, ctx) { ctx.signal.throwIfAborted(); }`,
        createEndpoint: `createEndpoint(nid, eid, info) { plain("addInterface", () => info.addInterface("x")); plain("address", () => info.addInterface(0, "", "10.0.0.1/99")); }`,
      },
    }),
    async run({ report, log }) {
      const saw = await report();
      for (const [name, what] of Object.entries(saw)) assert.equal(what, "sound", `${name}: ${what}`);
      assert.ok(log.some((line) => line.message === "still here"));
      return "refused inside";
    },
  },
  {
    item: 4,
    title: "a stack overflow in the evaluator does not let the real eval out",
    source: hostile({
      top: `
      const depth = () => { try { return 1 + depth(); } catch { return 1; } };
      let hits = 0, loose = 0;
      const probe = () => { try { const it = (0, eval)("typeof process + typeof require + typeof Compartment"); hits++; if (it !== "undefinedundefinedundefined") loose++; } catch {} };
      const at = (n) => { if (n === 0) { probe(); return; } at(n - 1); };
      for (let i = 0; i < 20; i++) { probe(); Function("return typeof process")(); }
      const bottom = depth();
      for (let n = Math.max(0, bottom - 400); n < bottom + 400; n += 3) { try { at(n); } catch {} probe(); try { if (Function("return typeof process")() !== "undefined") loose++; } catch {} }
      attempt("after", () => (0, eval)("process"));
      attempt("loose", () => { if (loose) return globalThis; throw new Error(hits > 200 ? "none" : "too few: " + hits); });`,
    }),
    // Several hundred evaluations at the edge of the stack take a while.
    policy: { timeouts: { default: 1000, init: 15_000 } },
    async run({ report }) {
      assert.deepEqual({ ...(await report()) }, { after: "undefined undefined", loose: "threw Error: none" });
      return "refused inside";
    },
  },
  {
    item: 6,
    title: "Error.prepareStackTrace, captureStackTrace, stackTraceLimit, CallSite.getThis",
    source: hostile({
      top: `
      attempt("prepare", () => { let sites; Error.prepareStackTrace = (_, all) => { sites = all; return all; }; const e = new Error("x"); void e.stack; if (!sites && !Array.isArray(e.stack)) throw new Error("none"); return sites; });
      attempt("prepare on subclasses", () => { for (const C of [TypeError, RangeError, SyntaxError]) { C.prepareStackTrace = (_, all) => all; if (Array.isArray(new C("x").stack)) return globalThis; } throw new Error("none"); });
      attempt("capture", () => { const it = {}; Error.captureStackTrace?.(it); if (!it.stack) throw new Error("none"); return it.stack; });
      attempt("limit", () => { Error.stackTraceLimit = Infinity; const { stack } = new Error("x"); if (!stack) throw new Error("none"); return stack; });
      attempt("own stack", () => { const { stack } = new Error("x"); if (!stack) throw new Error("none"); return stack; });
      attempt("native stack", () => { try { null.x; } catch (error) { if (!error.stack) throw new Error("none"); return error.stack; } });
      attempt("async stack", async () => { try { await Promise.any([]); } catch (error) { if (!error.stack) throw new Error("none"); return error.stack; } });
      attempt("descriptor", () => { const d = Object.getOwnPropertyDescriptor(new Error("x"), "stack"); const it = d?.get ? d.get.call(new Error("x")) : d?.value; if (!it) throw new Error("none"); return it; });`,
      init: "await settled();",
    }),
    async run({ report }) {
      for (const [name, what] of Object.entries(await report()))
        assert.match(String(what), /^threw /, `${name}: ${what}`);
      return "refused inside";
    },
  },
  {
    item: 7,
    title: "promises of the runtime: their prototype, species and then are the compartment's frozen own",
    source: hostile({
      init: `
        const real = powers.store.get("k");
        saw.same = Object.getPrototypeOf(real) === Promise.prototype && real.constructor === Promise;
        attempt("then", () => { Promise.prototype.then = () => {}; });
        attempt("species", () => { Object.defineProperty(Promise, Symbol.species, { value: class {} }); });
        let seen = 0;
        class Spy extends Promise { constructor(run) { seen++; super(run); } static get [Symbol.species]() { return Spy; } }
        Object.setPrototypeOf(real, Spy.prototype);
        attempt("constructor", () => { Object.defineProperty(real, "constructor", { get() { throw new Error("looked at"); } }); throw new Error("own object"); });
        saw.value = String(await powers.store.get("k"));
        saw.again = await powers.store.set("k", 1).then(() => powers.store.get("k"));`,
    }),
    async run({ report }) {
      const saw = await report();
      assert.deepEqual({ same: saw.same, value: saw.value, again: saw.again }, { same: true, value: "null", again: 1 });
      for (const name of ["then", "species", "constructor"]) assert.match(String(saw[name]), /^threw /);
      return "refused inside";
    },
  },
  ...outsideFiles(),
];

/** Item 12: one plugin per way to name a file outside its folder. */
function outsideFiles(): HostileCase[] {
  const refusedImport = (
    title: string,
    statement: string,
    prepare?: (folder: string) => Promise<void>,
  ): HostileCase => ({
    item: 12,
    title,
    source: {
      "index.js": `${statement}\nexport function init() { throw new Error("ran: " + String(it)); }`,
      "plugin.json": `{ "main": "index.js" }`,
    },
    async prepare(folder) {
      await writeFile(join(folder, ".secret.js"), `export default "the secret";`);
      await writeFile(join(folder, ".secret.json"), `{ "secret": "the secret" }`);
      await prepare?.(folder);
    },
    async run({ info, told, log }) {
      const { state, refusal } = info();
      assert.equal(state, "refused");
      assert.match(refusal?.code ?? "", /^ERR_PLUGIN_(IMPORT|FILE|SYNTAX)$/, refusal?.message);
      told(refusal?.code ?? "");
      assert.ok(!JSON.stringify(log).includes("the secret"));
      return "plugin ended";
    },
  });
  return [
    refusedImport("an import by ../", `import it from "../.secret.js";`),
    refusedImport("an import by a longer way round", `import it from "./a/../../.secret.js";`),
    refusedImport("an import of JSON outside", `import it from "../.secret.json";`),
    refusedImport("a JSON import with an attribute", `import it from "../.secret.json" with { type: "json" };`),
    refusedImport("a text import with an attribute", `import it from "../.secret.js" with { type: "text" };`),
    refusedImport("an import of an absolute path", `import it from "/etc/hostname";`),
    refusedImport("an import of a file URL", `import it from "file:///etc/hostname";`),
    refusedImport("an import of a data URL", `import it from "data:text/javascript,export default 1"; fetch(it);`),
    refusedImport("an import over HTTP", `import it from "http://127.0.0.1:1/x.js";`),
    refusedImport("a builtin of Node", `import it from "node:fs";`),
    refusedImport("a require of a builtin", `const it = require("fs");`),
    refusedImport("a symlink to a file outside", `import it from "./link.js";`, (folder) =>
      symlink(join(folder, ".secret.js"), join(folder, "hostile", "link.js")),
    ),
    refusedImport("a symlink to a folder outside", `import it from "./link/.secret.js";`, (folder) =>
      symlink(folder, join(folder, "hostile", "link")),
    ),
  ];
}
