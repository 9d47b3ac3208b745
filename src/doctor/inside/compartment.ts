/** What a plugin's code must not be able to do: the text of a plugin that tries it, in a compartment of its own. */
import { PLUGIN_GLOBAL } from "../../protocol/bundle-global.js";

/** Globals of Node, of browsers and of SES's start compartment, and those that a plugin without a grant must not have. */
const NAMES = [
  ...["process", "require", "module", "exports", "global", "Buffer", "setTimeout", "setImmediate", "console"],
  ...[
    "fetch",
    "WebSocket",
    "XMLHttpRequest",
    "Worker",
    "MessageChannel",
    "BroadcastChannel",
    "navigator",
    "performance",
  ],
  ...["crypto", "WebAssembly", "SharedArrayBuffer", "Atomics", "Compartment", "lockdown", "harden", "gc"],
];

/**
 * A bundle whose exports are three lists of probes, by the name of their check. It is text because it is evaluated as a
 * plugin's is; `import(` is assembled at run time, since SES refuses it in text.
 */
export const COMPARTMENT_CODE: string = `var ${PLUGIN_GLOBAL} = (() => {
  const probe = (what, act) => {
    try {
      const got = act();
      if (got instanceof Promise) got.catch(() => {});
      return { what, through: true, said: typeof got };
    }
    catch (error) { return { what, through: false, said: String(error && error.name || error) }; }
  };
  const absent = (what, value) => { if (value === undefined || value === "undefined") throw "absent"; return value; };
  const effect = (seen) => { if (!seen) throw "no effect"; };
  const kinds = { function: function () {}, async: async function () {}, generator: function* () {} };
  const named = ${JSON.stringify(NAMES)};
  const bring = "imp" + "ort";
  return {
    "compartment.globals": named.map((name) => probe("find " + name, () => absent(name, globalThis[name]))),
    "compartment.evaluation": [
      probe("find process by eval", () => absent("", (0, eval)("typeof process"))),
      ...Object.keys(kinds).map((kind) => probe("find process by the constructor of " + kind, () =>
        absent("", kinds[kind].constructor("return typeof process")()))),
      probe("import by eval", () => (0, eval)(bring + "('node:fs')")),
      probe("import by the constructor of function", () => Function("return " + bring + "('node:fs')")()),
      probe("import a phase by eval", () => (0, eval)(bring + ".source('node:fs')")),
      probe("see the machine's paths in a stack", () => {
        const stack = String(new Error("x").stack);
        if (!/[(\\s]\\/|node:/.test(stack)) throw "no path";
        return stack;
      }),
    ],
    "compartment.intrinsics": [
      probe("add to Object.prototype", () => { Object.prototype.bulkheadDoctor = 1; effect({}.bulkheadDoctor === 1); }),
      probe("replace Array.prototype.push", () => { const mine = () => 0; Array.prototype.push = mine; effect([].push === mine); }),
      probe("add to Function.prototype", () => { Function.prototype.bulkheadDoctor = 1; effect(probe.bulkheadDoctor === 1); }),
      probe("replace Promise.prototype.then", () => { const mine = () => 0; Promise.prototype.then = mine; effect(Promise.prototype.then === mine); }),
      probe("write stacks itself", () => {
        let seen = false;
        Error.prepareStackTrace = () => { seen = true; };
        void new Error("x").stack;
        effect(seen);
      }),
    ],
  };
})();`;
