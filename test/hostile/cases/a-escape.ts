/** Class A, escape: code that looks for a way out of its compartment. */
import { strict as assert } from "node:assert";
import type { JsonObject } from "#dist/driverapi/json.js";
import type { HostileCase } from "../case.js";
import { GIVEN, unexpected, withoutGiven } from "../globals.js";
import { hostile } from "../source.js";

/** Names that lead to a power in Node or on the web. */
const POWERFUL: readonly string[] = [
  ..."process require module global Buffer fetch WebAssembly SharedArrayBuffer Atomics Compartment lockdown".split(" "),
  ..."harden setImmediate performance crypto navigator BroadcastChannel MessageChannel WeakRef".split(" "),
  ..."FinalizationRegistry AsyncLocalStorage __dirname exports".split(" "),
];

/** Every one of these names must tell of a throw, or of nothing at all. */
function allThrew(saw: JsonObject): void {
  for (const [name, what] of Object.entries(saw))
    assert.match(String(what), /^(threw |undefined undefined$)/, `${name}: ${what}`);
  assert.ok(Object.keys(saw).length > 0, "the plugin tried nothing");
}

function equal(saw: JsonObject, wanted: JsonObject): void {
  assert.deepEqual({ ...saw }, wanted);
}

export const ESCAPE: readonly HostileCase[] = [
  {
    item: 1,
    title: "constructor walks from every kind of function",
    source: hostile({
      top: `
      const makers = {
        array: () => [].constructor.constructor, fn: () => (function () {}).constructor, arrow: () => (() => {}).constructor,
        async: () => (async () => {}).constructor, generator: () => (function* () {}).constructor,
        asyncGenerator: () => (async function* () {}).constructor, method: () => ({ m() {} }).m.constructor,
        cls: () => (class {}).constructor, bound: () => (() => {}).bind().constructor, native: () => Math.max.constructor,
        getter: () => Object.getOwnPropertyDescriptor(Map.prototype, "size").get.constructor,
        promise: () => Promise.resolve().then.constructor, iterator: () => [][Symbol.iterator]().next.constructor,
        regexp: () => /x/.exec.constructor, proxy: () => new Proxy(() => {}, {}).constructor,
        own: () => Object.getPrototypeOf(async () => {}).constructor,
      };
      for (const [name, make] of Object.entries(makers)) {
        attempt(name, () => make()("return process")());
        attempt(name + " new", () => new (make())("return process")());
        attempt(name + " this", () => { const it = make()("return this")(); if (it === undefined) throw new Error("undefined"); return it; });
      }`,
    }),
    async run({ report }) {
      allThrew(await report());
      return "refused inside";
    },
  },
  {
    item: 2,
    title: "import() in every spelling that is text at load",
    source: hostile({
      top: `
      const im = "imp" + "ort", html = "<" + "!--", close = "--" + ">";
      const texts = [im + "('fs')", im + " ('fs')", im + "/**/('fs')", im + "\\n('fs')", im + "//\\n('fs')", im + "\\u2028('fs')",
        "{..." + im + "('fs')}", "0," + im + "('fs')", "async()=>await " + im + "('fs')", im + ".meta", im + "\\t//x\\u2029('fs')", "(" + im + ")('fs')",
        "im\\\\u0070ort('fs')", html + im + "\\n('fs')", "0\\n" + close + " " + im + "('fs')", "/*" + html + "*/" + im + "('fs')",
        im + ".defer('fs')", im + ".source('fs')", "new " + im + "('fs')", "\`\${" + im + "('fs')}\`", "import fs from 'fs'", "export * from 'fs'"];
      texts.forEach((text, i) => {
        attempt("eval " + i, () => (0, eval)("(" + text + ")"));
        attempt("plain eval " + i, () => (0, eval)(text + ";throw new Error('ran')"));
        attempt("Function " + i, () => Function("return " + text)());
        attempt("parameter " + i, () => Function("a = " + text, "")());
      });`,
      init: "await settled();",
    }),
    async run({ report }) {
      const saw = await report();
      allThrew(saw);
      for (const [name, what] of Object.entries(saw)) assert.notEqual(what, "threw Error: ran", name);
      return "refused inside";
    },
  },
  {
    item: 2,
    title: "import() in the author's own file",
    source: `export async function init() { const fs = await import("node:fs"); fs.writeFileSync("/tmp/out", "x"); }`,
    async run({ info, told }) {
      assert.equal(info().state, "refused");
      assert.match(info().refusal?.code ?? "", /^ERR_PLUGIN_(IMPORT|SYNTAX)$/);
      told(info().refusal?.code ?? "");
      return "plugin ended";
    },
  },
  {
    item: 3,
    title: "indirect eval, Function, and eval by every name: only the compartment's globals",
    source: hostile({
      top: `
      const indirect = eval;
      for (const name of ${JSON.stringify(withoutGiven(POWERFUL))}) {
        attempt("eval " + name, () => indirect(name));
        attempt("Function " + name, () => new Function("return " + name)());
        attempt("typeof " + name, () => { if (typeof globalThis[name] === "undefined" && indirect("typeof " + name) === "undefined") throw new Error("none"); });
      }
      const another = ${JSON.stringify(GIVEN)}.filter((name) => indirect(name) !== globalThis[name] || Function("return " + name)() !== globalThis[name]);
      attempt("another", () => { if (another.length > 0) return globalThis[another[0]]; throw new Error("none"); });
      attempt("subtle", () => crypto.subtle.constructor); attempt("crypto's class", () => { if (Object.getPrototypeOf(crypto) === Object.prototype) throw new Error("none"); });
      attempt("performance's class", () => { if (Object.getPrototypeOf(performance) === Object.prototype) throw new Error("none"); });
      attempt("strict", () => { if (indirect("(function () { return this })()") === undefined) throw new Error("strict"); });
      attempt("leak", () => { indirect("leaked = 1"); });
      attempt("wrapper", () => indirect("arguments.length + String(arguments[0])"));
      attempt("close the wrapper", () => Function("}, process, function () {")());
      attempt("close the parameters", () => Function("a = 1) { return process }, function (", "")());
      attempt("comment", () => Function("/*", "*/) { return process"));
      saw.names = Object.getOwnPropertyNames(globalThis).join();
      `,
    }),
    async run({ report }) {
      const { wrapper, names, ...saw } = await report();
      assert.deepEqual(unexpected(String(names).split(",")), []);
      // SES's own evaluator has an argument: the text it was given.
      assert.equal(wrapper, "string 1arguments.length + String(arguments[0])");
      allThrew(saw);
      return "refused inside";
    },
  },
  {
    item: 3,
    title: "a direct eval in the author's own file",
    source: `export function init() { return eval("process"); }`,
    async run({ info, told }) {
      assert.equal(info().state, "refused");
      told(info().refusal?.code ?? "");
      return "plugin ended";
    },
  },
  {
    item: 5,
    title: "with, Symbol.unscopables, sloppy mode",
    source: hostile({
      top: `
      attempt("with", () => Function("with ({}) { return process }")());
      attempt("unscopables", () => { globalThis[Symbol.unscopables] = { process: false, Object: true }; return (0, eval)("process"); });
      attempt("callee", () => Function("return arguments.callee")());
      attempt("octal", () => (0, eval)("010"));
      attempt("scope proxy", () => { globalThis.__proto__ = new Proxy({}, { get: (_, key) => { throw new Error("trapped " + String(key)); } }); return (0, eval)("process"); });
      attempt("has", () => { Object.setPrototypeOf(globalThis, { process: 1 }); throw new Error("set"); });
      `,
    }),
    async run({ report }) {
      allThrew(await report());
      return "refused inside";
    },
  },
  {
    item: 8,
    title: "this, inside every function the runtime calls",
    source: hostile({
      top: `const note = (name, value) => { saw[name] = value === undefined ? "undefined" : typeof value; };`,
      init: `
        note("init", this);
        const done = new Promise((resolve) => setTimeout(function () { note("timer", this); note("timer arguments", arguments[0]); resolve(); }, 1));
        queueMicrotask(function () { note("microtask", this); });
        new URLSearchParams("a=1").forEach(function () { note("forEach", this); });
        structuredClone({ get a() { saw.getter = Object.keys(this).join(); return 1; } });
        await done;`,
      methods: {
        type: `type: function () { saw.type = String(Object.keys(this).length); return "hostile"; }`,
        createNetwork: `createNetwork: function (nid, options, ctx) { saw.method = String(Object.keys(this).length); ctx.signal.addEventListener("abort", function () { note("abort", this); }); }`,
      },
    }),
    async run({ report }) {
      equal(await report(), {
        init: "undefined",
        timer: "undefined",
        "timer arguments": "undefined",
        microtask: "undefined",
        forEach: "undefined",
        getter: "a",
        type: "9",
        method: "9",
      });
      return "refused inside";
    },
  },
  {
    item: 10,
    title: "arguments.callee.caller and function.caller",
    source: hostile({
      top: `
      attempt("callee", () => Function("return arguments.callee.caller")());
      attempt("caller", () => (function f() { const it = f.caller; if (it === undefined || it === null) throw new Error("none"); return it; })());
      attempt("arguments", () => (function f() { const it = f.arguments; if (it === undefined || it === null) throw new Error("none"); return it; })());
      attempt("getter", () => Object.getOwnPropertyDescriptor(Function.prototype, "caller").get.call(setTimeout));
      attempt("endowment", () => { const it = console.log.caller; if (it === undefined) throw new Error("none"); return it; });`,
      methods: {
        createNetwork: `createNetwork() { attempt("from the host", () => { const it = Function("return arguments.callee.caller")(); return it; }); }`,
      },
    }),
    async run({ report }) {
      allThrew(await report());
      return "refused inside";
    },
  },
  {
    item: 11,
    title: "a nested Compartment, a second lockdown, harden, assert",
    source: hostile({
      top: `
      for (const name of ["Compartment", "lockdown", "repairIntrinsics", "harden", "assert", "ModuleSource", "StaticModuleRecord", "ShadowRealm", "Realm"]) {
        attempt(name, () => (0, eval)(name));
        attempt(name + " on globalThis", () => { if (!(name in globalThis)) throw new Error("none"); });
      }
      attempt("by instance", () => Object.getPrototypeOf(globalThis).constructor.constructor("return Compartment")());`,
    }),
    async run({ report }) {
      allThrew(await report());
      return "refused inside";
    },
  },
];
