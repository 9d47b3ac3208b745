/** The compartment a plugin's code runs in, and the evaluation of its bundle. */
import { PLUGIN_GLOBAL } from "../protocol/bundle-global.js";
import type { Realm } from "./lockdown.js";
import { SOURCE_URL } from "./source-url.js";

/** Globals that SES puts into every compartment and that no plugin needs. */
const REMOVED = [
  "Compartment",
  "ModuleSource",
  "StaticModuleRecord",
  "assert",
  "harden",
  "lockdown",
  "repairIntrinsics",
];

/** Not bound lexically: `eval` must stay what it is, and a binding of `undefined` would serve no purpose. */
const UNBOUND = new Set(["eval", "undefined", "arguments"]);

/**
 * `import.source()` and `import.defer()`: newer engines have them (V8 of Node 24 does), SES does not refuse them yet, and
 * they reach the host's module loader as `import()` does. As SES does for `import()`, anything that looks like one is
 * refused, in text too.
 */
const IMPORT_PHASE = /(?:^|[^.$\w]|\.\.\.)import\s*\.\s*(?!meta\b)/;

/** Checks all code of a compartment: the bundle, and any code it evaluates itself. */
function refuseImportPhases(source: string): string {
  if (IMPORT_PHASE.test(source)) throw new SyntaxError("import.source() and import.defer() cannot run in the sandbox");
  return source;
}

/**
 * Evaluates a bundle and returns its exports. The compartment's globals are bound as parameters of a function that opens
 * before the bundle's first line: the same objects, but found lexically, several times faster than through the compartment's
 * scope.
 */
export function evaluateBundle(
  realm: Realm,
  plugin: string,
  code: string,
  globals: Readonly<Record<string, unknown>>,
): unknown {
  const compartment = new realm.Compartment({
    __options__: true,
    transforms: [refuseImportPhases],
    name: plugin,
    globals: realm.harden({ ...globals }),
  });
  const scope = compartment.globalThis;
  for (const name of REMOVED) delete scope[name];
  // Libraries extend it (reflect-metadata): a copy for this compartment, with the realm's frozen functions.
  scope.Reflect = Object.defineProperties({}, Object.getOwnPropertyDescriptors(Reflect));
  const names = Object.getOwnPropertyNames(scope).filter(
    (name) => /^[A-Za-z_$][\w$]*$/.test(name) && !UNBOUND.has(name),
  );
  const source = `(function(${names.join(",")}){\n${code}\nreturn ${PLUGIN_GLOBAL}})\n//# sourceURL=${SOURCE_URL}`;
  const run = compartment.evaluate(source) as (...values: unknown[]) => unknown;
  return run(...names.map((name) => scope[name]));
}
