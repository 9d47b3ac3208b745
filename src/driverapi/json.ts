/** Plain JSON: the only data that crosses between a plugin and its host. */

import { quote } from "../common/quote.js";
import { DriverError } from "./errors.js";

/** A JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** A JSON object. */
export type JsonObject = { readonly [key: string]: Json };

/** The JSON text of an object, which is passed on and stored without being parsed. */
export type JsonText = string;

/** What bounds a copy. */
export interface JsonLimits {
  /** Arrays and objects inside one another; a flat object has depth 1. */
  readonly depth: number;
  /** Values of any kind, the outermost included. */
  readonly nodes: number;
  /** Strings and keys together, in UTF-16 units; absent: unbounded. */
  readonly chars?: number | undefined;
}

/** Says why a value is not JSON, and where in it. Internal: users get a `DriverError` made from it. */
export class JsonError extends TypeError {
  override readonly name: string = "JsonError";
  /** For example `.subnets[2].mtu`; empty for the outermost value. */
  readonly path: string;
  readonly rule: string;

  constructor(path: string, rule: string) {
    super(`the value${path}: ${rule}`);
    this.path = path;
    this.rule = rule;
  }
}

/** Options with this prefix are reserved for the host (`bulkhead.replay`). */
export const RESERVED = "bulkhead.";

/** Longest path shown, in UTF-16 units. */
const PATH_SHOWN = 200;

/**
 * Returns a deep copy of untrusted data as new plain objects and arrays, as `JSON.parse(JSON.stringify(value))` does
 * for JSON, without calling any getter or `toJSON`. Properties that are undefined are dropped, undefined array elements
 * and holes become null. Everything else that JSON would lose or run is refused: functions, symbols,
 * bigints, NaN and infinities, class instances, accessors, a `__proto__` key, cycles (by depth). Throws `JsonError`.
 */
export function copyJson(value: unknown, limits: JsonLimits): Json {
  const copier = new Copier(limits);
  try {
    return copier.copy(value);
  } catch {
    // A proxy's trap may throw anything, even another proxy: the error is not read.
    throw copier.refusal ?? new JsonError(copier.where(), "it could not be read");
  }
}

/**
 * Applies the checks of `copyJson` to a value from `JSON.parse`, without a copy: such a value has no getters, symbols or classes.
 * Throws `JsonError`.
 */
export function boundJson(value: Json, limits: JsonLimits): void {
  const left = { nodes: limits.nodes, chars: limits.chars ?? Number.POSITIVE_INFINITY };
  // Copies only to throw the error with the path to the value that breaks a rule.
  if (!isBounded(value, limits.depth, left)) copyJson(value, limits);
}

/**
 * Parses a call's options: a JSON object; undefined stands for `{}`. Keys that begin with `bulkhead.` are reserved and refused
 * unless `allowReserved`. Throws `ERR_BAD_OPTIONS`.
 */
export function parseOptions(value: unknown, limits: JsonLimits, allowReserved = false): JsonObject {
  if (value === undefined) return {};
  const copy = copyOptions(value, limits);
  if (!isJsonObject(copy)) {
    throw new DriverError("ERR_BAD_OPTIONS", `the options are ${quote(copy)}, and must be a plain object`);
  }
  if (allowReserved) return copy;
  const reserved = Object.keys(copy).find((key) => key.startsWith(RESERVED));
  if (reserved === undefined) return copy;
  throw new DriverError(
    "ERR_BAD_OPTIONS",
    `the options' key ${quote(reserved)} begins with "${RESERVED}", which is kept for the host; rename it`,
  );
}

/** True for a JSON object; false for an array, null or any other JSON value. */
export function isJsonObject(value: Json): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function copyOptions(value: unknown, limits: JsonLimits): Json {
  try {
    return copyJson(value, limits);
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    throw new DriverError("ERR_BAD_OPTIONS", `options${error.path}: ${error.rule}`, { cause: error });
  }
}

/** True for parsed JSON within its limits; an infinity is what `JSON.parse` makes of 1e999. */
function isBounded(value: Json, depth: number, left: { nodes: number; chars: number }): boolean {
  if (--left.nodes < 0) return false;
  if (typeof value === "string") {
    left.chars -= value.length;
    return left.chars >= 0;
  }
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value !== "object" || value === null) return true;
  if (depth <= 0) return false;
  if (Array.isArray(value)) {
    for (const one of value as readonly Json[]) if (!isBounded(one, depth - 1, left)) return false;
    return true;
  }
  const keys = Object.keys(value);
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i] as string;
    left.chars -= key.length;
    if (left.chars < 0 || key === "__proto__") return false;
    if (!isBounded((value as JsonObject)[key] as Json, depth - 1, left)) return false;
  }
  return true;
}

class Copier {
  /** The error with which this copier ended. */
  refusal: JsonError | undefined;
  readonly #limits: JsonLimits;
  #nodes: number;
  #chars: number;
  readonly #path: (string | number)[] = [];

  constructor(limits: JsonLimits) {
    this.#limits = limits;
    this.#nodes = limits.nodes;
    this.#chars = limits.chars ?? Number.POSITIVE_INFINITY;
  }

  copy(value: unknown): Json {
    this.#nodes -= 1;
    if (this.#nodes < 0) throw this.#tooMany();
    switch (typeof value) {
      case "boolean":
        return value;
      case "string":
        this.#countChars(value);
        return value;
      case "number":
        if (!Number.isFinite(value)) throw this.#refuse(`${value} is not a JSON number`);
        return value === 0 ? 0 : value; // -0, as JSON writes it
      case "object":
        return value === null ? null : this.#copyContainer(value);
      case "undefined":
        throw this.#refuse("undefined is not JSON");
      default:
        throw this.#refuse(`a ${typeof value} is not JSON`);
    }
  }

  where(): string {
    let path = "";
    for (const step of this.#path) {
      if (typeof step === "number") path += `[${step}]`;
      else path += /^[A-Za-z_$][\w$]{0,39}$/.test(step) ? `.${step}` : `[${quote(step)}]`;
      if (path.length > PATH_SHOWN) return `${path.slice(0, PATH_SHOWN)}…`;
    }
    return path;
  }

  #copyContainer(value: object): Json {
    if (this.#path.length >= this.#limits.depth) {
      throw this.#refuse(`it is nested deeper than ${this.#limits.depth}, or contains itself`);
    }
    if (Array.isArray(value)) return this.#copyArray(value);
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== null) {
      throw this.#refuse("an instance of a class is not plain data");
    }
    return this.#copyObject(value);
  }

  #copyArray(value: object): Json {
    const length = Object.getOwnPropertyDescriptor(value, "length")?.value as unknown;
    if (typeof length !== "number" || !(length >= 0 && length <= this.#nodes)) throw this.#tooMany();
    const copy: Json[] = [];
    for (let i = 0; i < length; i++) {
      this.#path.push(i);
      copy.push(this.copy(this.#own(value, i) ?? null));
      this.#path.pop();
    }
    return copy;
  }

  #copyObject(value: object): Json {
    const keys = Reflect.ownKeys(value);
    if (keys.length > this.#nodes) throw this.#tooMany();
    const copy: Record<string, Json> = {};
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i] as string | symbol;
      if (typeof key === "symbol") throw this.#refuse("a key that is a symbol is not JSON");
      if (key === "__proto__") throw this.#refuse('the key "__proto__" is not accepted');
      this.#path.push(key);
      this.#countChars(key);
      const element = this.#own(value, key);
      if (element !== undefined) put(copy, key, this.copy(element));
      this.#path.pop();
    }
    return copy;
  }

  /** Returns the own, enumerable data property's value; undefined where JSON would see none. */
  #own(value: object, key: string | number): unknown {
    const descriptor = Object.getOwnPropertyDescriptor(value, key);
    if (descriptor === undefined || descriptor.enumerable !== true) return undefined;
    if (!Object.hasOwn(descriptor, "value")) throw this.#refuse("a getter or setter is not plain data");
    return descriptor.value;
  }

  #countChars(text: string): void {
    this.#chars -= text.length;
    if (this.#chars < 0) throw this.#refuse(`it holds more than ${this.#limits.chars} characters`);
  }

  #tooMany(): JsonError {
    return this.#refuse(`it holds more than ${this.#limits.nodes} values`);
  }

  #refuse(rule: string): JsonError {
    this.refusal = new JsonError(this.where(), rule);
    return this.refusal;
  }
}

/** Assigns a property; names of Object.prototype are defined instead, since they cannot be assigned where it is frozen. */
function put(target: Record<string, Json>, key: string, value: Json): void {
  if (key in target)
    Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
  else target[key] = value;
}
