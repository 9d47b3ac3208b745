/** Reads data properties of a plugin's values without calling an accessor, a proxy trap or any other code of the plugin. */
import { types } from "node:util";

/** Returns an own data property's value; undefined for an accessor. */
export function dataOf(value: object, key: string): unknown {
  return Reflect.getOwnPropertyDescriptor(value, key)?.value;
}

/** Calls the getter that a prototype has for `key` on a value. */
export function getter(prototype: object, key: string, value: object): unknown {
  const read = Reflect.getOwnPropertyDescriptor(prototype, key)?.get;
  return read === undefined ? undefined : Reflect.apply(read, value, []);
}

/** Returns the length of a typed array. */
export function typedLength(value: NodeJS.TypedArray): number {
  return Number(getter(Reflect.getPrototypeOf(Uint8Array.prototype) ?? {}, "length", value));
}

/** Returns the name of an error, from its own data properties and those of its prototypes. */
export function errorName(error: Error): string {
  let at: object | null = error;
  for (let steps = 0; at !== null && !types.isProxy(at) && steps < 16; steps++) {
    const name = dataOf(at, "name");
    if (isName(name)) return name;
    const maker = Object.hasOwn(at, "constructor") ? knownConstructor(at) : undefined;
    const made = maker === undefined || types.isProxy(maker) ? undefined : dataOf(maker, "name");
    if (isName(made)) return made;
    at = Reflect.getPrototypeOf(at);
  }
  return "Error";
}

/** True for a name that is short enough to print. */
export function isName(value: unknown): value is string {
  return typeof value === "string" && value !== "" && value.length <= 100;
}

/** Returns a prototype's constructor. Lockdown turns that property of the realm's own prototypes into a safe accessor. */
function knownConstructor(prototype: object): object | undefined {
  for (const known of [
    TypeError,
    RangeError,
    SyntaxError,
    ReferenceError,
    EvalError,
    URIError,
    AggregateError,
    Error,
  ]) {
    if (prototype === known.prototype) return known;
  }
  const maker = dataOf(prototype, "constructor");
  return typeof maker === "function" ? maker : undefined;
}
