/** Hostile plugins' code: the nine methods they all need, and the means to tell what they saw. */
import { plugin } from "../kit/plugins.js";

/** Bodies that differ from a harmless driver's. */
export interface HostileParts {
  /** Top-level code, run at load. */
  readonly top?: string;
  /** Run in `init` before the driver is registered; `callback` and `powers` are in scope. */
  readonly init?: string;
  /** Run in `init` after it. */
  readonly after?: string;
  /** Methods by name, as `name(args) { … }` members of the driver object. */
  readonly methods?: Readonly<Record<string, string>>;
}

const METHODS: Readonly<Record<string, string>> = {
  type: `type() { return "hostile"; }`,
  config: "config() {}",
  createNetwork: "createNetwork() {}",
  deleteNetwork: "deleteNetwork() {}",
  createEndpoint: "createEndpoint() {}",
  deleteEndpoint: "deleteEndpoint() {}",
  endpointOperInfo: "endpointOperInfo() { return saw; }",
  join: "join() {}",
  leave: "leave() {}",
};

/**
 * In scope of every part: `saw` (what `endpointOperInfo` gives), `attempt(name, fn)` (records what `fn` gave or threw; a promise
 * when it has settled; `settled()` waits for all of them), `loot(value)` (what of the host's hangs on a value).
 */
const PRELUDE = `
const saw = {};
const pending = [];
const loot = (value) => {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return typeof value + " " + String(value).slice(0, 200);
  const found = [];
  for (const key of ["process", "require", "module", "global", "Buffer", "fetch", "performance", "WebAssembly", "SharedArrayBuffer", "Compartment", "lockdown", "env", "argv", "pid", "mainModule", "binding", "exit", "kill", "readFileSync", "postMessage", "setImmediate", "getStackString"]) {
    try { if (value[key] !== undefined) found.push(key); } catch {}
  }
  return found.length ? "LOOT " + found.join(",") : "nothing in " + typeof value;
};
const threw = (error) => {
  let name = "?", message = "?";
  try { name = String(error.name); message = String(error.message).slice(0, 300); } catch {}
  return "threw " + name + ": " + message;
};
const attempt = (name, fn) => {
  try {
    const value = fn();
    if (value !== null && typeof value === "object" && typeof value.then === "function") {
      saw[name] = "pending";
      pending.push(value.then((one) => { saw[name] = loot(one); }, (error) => { saw[name] = threw(error); }));
    } else saw[name] = loot(value);
  } catch (error) { saw[name] = threw(error); }
};
const settled = () => Promise.all(pending);
`;

/** The code of a plugin that registers type "hostile". */
export function hostile({ top = "", init = "", after = "", methods = {} }: HostileParts): string {
  const members = Object.entries(METHODS).map(([name, text]) => methods[name] ?? text);
  return `${PRELUDE}
${top}
export async function init(callback, powers) {
  ${init}
  await callback.registerDriver("hostile", {
    ${members.join(",\n    ")}
  }, { scope: "local" });
  ${after}
}
`;
}

/** The good neighbour: counts its calls, so that a restart would show, knows the networks and endpoints it was given, and has a store. */
export const NEIGHBOUR: string = plugin("neighbour", {
  top: "let calls = 0; const kept = new Set();",
  start: "const { store } = powers;",
  methods: `createNetwork(nid) { kept.add(nid); }, deleteNetwork(nid) { kept.delete(nid); },
    createEndpoint(nid, eid) { kept.add(nid + "/" + eid); }, deleteEndpoint(nid, eid) { kept.delete(nid + "/" + eid); },
    async endpointOperInfo(nid, eid) { calls++; return { nid, eid, calls, kept: [...kept].join(), store: await store.get("k") }; },`,
});
