/**
 * Attacks on endowments, from inside a compartment. Importing this file locks the process down, as a worker is: import it first.
 * `walk` goes wherever a plugin could go from what it is given, tries to change whatever it meets, and reports what it found.
 */
import "ses";
import { createRequire } from "node:module";
import type { Endowment } from "#dist/permissions/permission.js";

lockdown({
  errorTaming: "safe",
  overrideTaming: "severe",
  consoleTaming: "unsafe",
  errorTrapping: "none",
  unhandledRejectionTrapping: "none",
  evalTaming: "safe-eval",
  stackFiltering: "concise",
});

/** A compartment with the endowments' globals and `powers`, hardened as the worker does it. */
export function compartmentWith(endowments: Readonly<Record<string, Endowment>>): Compartment {
  const globals: Record<string, unknown> = {};
  const powers: Record<string, unknown> = {};
  for (const [name, { globals: given, power }] of Object.entries(endowments)) {
    Object.assign(globals, given);
    if (power !== undefined) powers[name] = power;
  }
  return new Compartment({ globals: harden({ ...globals, powers }), __options__: true });
}

/** Evaluates an expression inside and gives its value. */
export function inside(compartment: Compartment, source: string): unknown {
  return compartment.evaluate(source);
}

/** What a throwing expression throws, seen from inside: `[name, code, message, is an Error there]`. */
export function refusalOf(
  compartment: Compartment,
  source: string,
): { name: string; code: unknown; message: string; stack: unknown; kin: boolean } {
  return compartment.evaluate(`(() => {
    try { (() => (${source}))(); } catch (e) {
      return { name: e.name, code: e.code, message: e.message, stack: e.stack, kin: e instanceof Error };
    }
    throw new Error("it did not throw");
  })()`);
}

interface Walk {
  /** What the attacker changed or got hold of; empty is good. */
  readonly findings: string[];
  readonly reached: ReadonlyMap<object, string>;
}

/**
 * Runs inside: breadth first over own keys (symbols too), prototypes, accessors and what they give, and what calls return or throw.
 * `Intrinsics` of the compartment are walked as well, although code that holds one can use it anyway.
 */
const WALKER = `(roots, fresh, hostName) => {
  const findings = [];
  const reached = new Map();
  const queue = [];
  const isObject = (v) => (typeof v === "object" && v !== null) || typeof v === "function";
  const visit = (value, path) => {
    if (typeof value === "string" && /file:|node:internal|\\/(?:home|work|root|tmp|usr|opt)\\//.test(value)) {
      findings.push(path + " shows a host path: " + value.slice(0, 200));
    }
    if (!isObject(value) || reached.has(value)) return;
    reached.set(value, path);
    // What belongs to the host is a finding, and not attacked: the test runs on it.
    const host = hostName(value);
    if (host !== undefined) findings.push(path + " is the host's " + host);
    else queue.push([value, path]);
  };
  const attempt = (path, run) => { try { return run(); } catch (e) { thrown(e, path + "!"); } };
  // Every attempt throws a new error: each is looked at, but not walked, or the walk would feed itself.
  const thrown = (e, path) => {
    if (!isObject(e)) return;
    if (!(e instanceof Error)) findings.push(path + " is not an Error of the compartment's");
    reached.set(e, path);
    visit(Reflect.getPrototypeOf(e), path + ".[[Prototype]]");
    for (const key of ["stack", ...Reflect.ownKeys(e)]) visit(e[key], path + name(key));
  };
  const shape = (o) => {
    const rows = [Reflect.getPrototypeOf(o)];
    for (const key of Reflect.ownKeys(o)) {
      const d = Reflect.getOwnPropertyDescriptor(o, key);
      rows.push(key, d.value, d.get, d.set, d.writable, d.enumerable, d.configurable);
    }
    return rows;
  };
  const same = (a, b) => a.length === b.length && a.every((v, i) => Object.is(v, b[i]));
  const name = (key) => typeof key === "symbol" ? "[" + key.description + "]" : "." + key;
  const mine = new Set(fresh);
  for (const [path, value] of Object.entries(roots)) visit(value, path);
  for (let i = 0; i < queue.length; i++) {
    if (findings.length >= 20) break;
    if (queue.length > 20000) { findings.push("the walk does not end"); break; }
    const [object, path] = queue[i];
    if (path.length > 400) continue;
    const before = shape(object);
    const keys = Reflect.ownKeys(object);
    // What a call made for the plugin is the plugin's own and may change; what leads to it may not.
    const given = !path.startsWith("sample ") || /^sample \\w+\\.\\[\\[Prototype\\]\\]/.test(path);
    if (given && !path.includes("()") && !path.includes("!") && !mine.has(object)) {
      for (const key of [...keys, "planted", Symbol.iterator, Symbol.toPrimitive, "then", "constructor", "__proto__"]) {
        attempt(path, () => Reflect.set(object, key, () => "poison"));
        attempt(path, () => Reflect.defineProperty(object, key, { value: "poison" }));
        attempt(path, () => Reflect.defineProperty(object, key, { get: () => "poison" }));
        attempt(path, () => Reflect.deleteProperty(object, key));
      }
      attempt(path, () => Reflect.setPrototypeOf(object, { poison: true }));
      attempt(path, () => { object.__defineGetter__("planted", () => 1); });
      if (!same(before, shape(object))) findings.push(path + " was changed");
      if (Reflect.isExtensible(object)) findings.push(path + " is extensible");
    }
    attempt(path, () => visit(Reflect.getPrototypeOf(object), path + ".[[Prototype]]"));
    for (const key of keys) {
      const d = Reflect.getOwnPropertyDescriptor(object, key);
      for (const part of ["value", "get", "set"]) if (d && part in d) visit(d[part], path + name(key) + (part === "value" ? "" : "." + part));
      attempt(path + name(key), () => visit(object[key], path + name(key) + "()"));
    }
    // Accessors of the prototypes, read on the object itself.
    let proto = Reflect.getPrototypeOf(object);
    for (let depth = 0; proto && depth < 8; depth++, proto = Reflect.getPrototypeOf(proto)) {
      for (const key of Reflect.ownKeys(proto)) attempt(path + name(key), () => visit(object[key], path + name(key) + "()"));
    }
    if (typeof object === "function") {
      for (const key of ["caller", "arguments", "callee"]) attempt(path, () => visit(object[key], path + "." + key));
    }
    attempt(path + ".constructor.constructor", () => {
      const global = object.constructor.constructor("return this")();
      if (global !== undefined && global !== globalThis) findings.push(path + ": Function evaluates outside");
    });
  }
  for (const word of ["process", "require", "module", "Buffer", "global", "WebAssembly", "SharedArrayBuffer", "fetch", "MessageChannel"]) {
    if (typeof globalThis[word] !== "undefined") findings.push("a global " + word);
  }
  return { findings, reached };
}`;

/**
 * Walks everything reachable from the endowments and from `samples`: an expression, evaluated inside, that gives a record of things a
 * plugin gets by using them. Findings also name whatever belongs to the host's realm and to no bare compartment.
 */
export function walk(endowments: Readonly<Record<string, Endowment>>, samples = "({})"): Walk {
  const compartment = compartmentWith(endowments);
  const given = Object.keys(Object.assign({}, ...Object.values(endowments).map(({ globals }) => globals)));
  const made = compartment.evaluate(`(${samples})`) as Record<string, unknown>;
  const roots: Record<string, unknown> = { powers: compartment.globalThis.powers };
  for (const name of given) roots[name] = compartment.globalThis[name];
  for (const [name, value] of Object.entries(made)) roots[`sample ${name}`] = value;
  const forbidden = hostObjects();
  return compartment.evaluate(WALKER)(roots, Object.values(made), (value: object) => forbidden.get(value)) as Walk;
}

let hosts: Map<object, string> | undefined;

/** Every object of the start realm that no bare compartment has: `process`, native classes, Node's modules, the powerful Date. */
function hostObjects(): ReadonlyMap<object, string> {
  if (hosts !== undefined) return hosts;
  const bare = new Compartment({ __options__: true });
  // Intrinsics without a name: every plugin has them by syntax.
  const nameless = bare.evaluate(`[
    [].values(), new Map().entries(), new Set().values(), ""[Symbol.iterator](), "".matchAll(/x/g), function* () {},
    async () => {}, async function* () {}, (function* () {})(), (async function* () {})(),
  ]`);
  // Intrinsics that SES leaves out of compartments and that every plugin is given: they hold no power.
  const floats = [Float32Array, Float64Array];
  const shared = reach({ bare: bare.globalThis, nameless, floats }, new Map(), 200_000);
  const load = createRequire(import.meta.url);
  const roots: Record<string, unknown> = { globalThis };
  for (const name of Reflect.ownKeys(globalThis)) {
    const field = Reflect.getOwnPropertyDescriptor(globalThis, name);
    if (field !== undefined && "value" in field) roots[String(name)] = field.value;
  }
  for (const name of ["url", "util", "buffer", "timers", "crypto", "fs", "worker_threads", "events", "async_hooks"]) {
    roots[`node:${name}`] = load(`node:${name}`);
  }
  const timer = setTimeout(() => {}, 0);
  clearTimeout(timer);
  const url = new URL("http://host/?a=b");
  Object.assign(roots, { URL, URLSearchParams, TextEncoder, TextDecoder, structuredClone, queueMicrotask, timer, url });
  Object.assign(roots, { iterator: url.searchParams.entries(), DOMException, performance });
  hosts = reach(roots, shared, 50_000);
  return hosts;
}

function reach(
  roots: Readonly<Record<string, unknown>>,
  known: ReadonlyMap<object, string>,
  most: number,
): Map<object, string> {
  const found = new Map<object, string>();
  const queue: Array<[object, string]> = [];
  const visit = (value: unknown, path: string): void => {
    if ((typeof value !== "object" || value === null) && typeof value !== "function") return;
    if (known.has(value) || found.has(value) || found.size >= most) return;
    found.set(value, path);
    queue.push([value, path]);
  };
  for (const [name, value] of Object.entries(roots)) visit(value, name);
  for (const [object, path] of queue) {
    visit(Reflect.getPrototypeOf(object), `${path}.[[Prototype]]`);
    for (const key of Reflect.ownKeys(object)) {
      const field = Reflect.getOwnPropertyDescriptor(object, key);
      for (const part of [field?.value, field?.get, field?.set]) visit(part, `${path}.${String(key)}`);
    }
  }
  return found;
}
