/** What a plugin could change in the host's process: globals, intrinsics, and the process's own listeners. */

type Fingerprint = ReadonlyMap<string, unknown>;

const WATCHED: Readonly<Record<string, object>> = {
  globalThis,
  "Object.prototype": Object.prototype,
  Object,
  "Array.prototype": Array.prototype,
  "Function.prototype": Function.prototype,
  "Promise.prototype": Promise.prototype,
  Promise,
  "String.prototype": String.prototype,
  "RegExp.prototype": RegExp.prototype,
  "Map.prototype": Map.prototype,
  "Error.prototype": Error.prototype,
  Error,
  JSON,
  Math,
  Reflect,
  "process.env": process.env,
};

/** Values of every own property, by object and key; the listeners of the process by their number. */
export function fingerprint(): Fingerprint {
  const found = new Map<string, unknown>();
  // Node's lazy globals replace themselves when first read, and bring others along.
  for (const key of Reflect.ownKeys(globalThis)) Reflect.get(globalThis, key);
  for (const [name, object] of Object.entries(WATCHED)) {
    for (const key of Reflect.ownKeys(object)) {
      const descriptor = Reflect.getOwnPropertyDescriptor(object, key);
      found.set(`${name}.${String(key)}`, descriptor?.get ?? descriptor?.value);
    }
    found.set(`${name}: prototype`, Reflect.getPrototypeOf(object));
  }
  for (const name of process.eventNames()) found.set(`listeners of ${String(name)}`, process.listenerCount(name));
  found.set("exit code", process.exitCode);
  return found;
}

/** Names of what differs. */
export function changes(before: Fingerprint, after: Fingerprint): string[] {
  const names = new Set([...before.keys(), ...after.keys()]);
  return [...names].filter((name) => !Object.is(before.get(name), after.get(name)));
}
