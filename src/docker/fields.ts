/**
 * Readers of untrusted JSON: each returns the value in the requested form, or throws an error that says what is wrong. They read
 * every request, and zod takes ten times as long.
 */

import type { JsonObject } from "../driverapi/json.js";

/** Reads a value. Throws `FieldError`. */
export type Reader<T> = (value: unknown) => T;

/** Says what is wrong with a field; the message is for the engine's user. */
export class FieldError extends Error {
  override readonly name: string = "FieldError";
  /** Where in the body, such as `Interface.Address`; "" for the body itself. */
  readonly path: string;

  constructor(rule: string, path = "") {
    super(rule);
    this.path = path;
  }
}

/** Reads an object with these fields, and leaves out all others. */
export function object<T extends object>(readers: { readonly [Name in keyof T]: Reader<T[Name]> }): Reader<T> {
  const names = Object.keys(readers) as (keyof T & string)[];
  return (value) => {
    if (!isObject(value)) throw new FieldError("must be an object");
    const read: Partial<T> = {};
    for (const name of names) read[name] = field(name, readers[name], value[name]);
    return read as T;
  };
}

/** Reads a list of at most `max` values. */
export function list<T>(reader: Reader<T>, max: number): Reader<readonly T[]> {
  return (value) => {
    if (!Array.isArray(value)) throw new FieldError("must be a list");
    if (value.length > max) throw new FieldError(`must have at most ${max} entries`);
    return value.map((one, index) => field(String(index), reader, one));
  };
}

/** Reads null, or a field that is missing, as `otherwise`. */
export function optional<T, O>(reader: Reader<T>, otherwise: O): Reader<T | O> {
  return (value) => (value === undefined || value === null ? otherwise : reader(value));
}

/** Reads text of `min` to `max` UTF-16 units without control characters: it goes to programs and logs. */
export function text(min: number, max: number): Reader<string> {
  return (value) => {
    if (typeof value !== "string" || value.length < min || value.length > max)
      throw new FieldError(`must be a string of ${min} to ${max} characters`);
    if (CONTROL.test(value)) throw new FieldError("must hold no control characters");
    return value;
  };
}

const CONTROL = /\p{Cc}/u;

/** Reads an integer that is not negative. */
export function count(value: unknown): number {
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
  throw new FieldError("must be an integer, and not negative");
}

/** Reads a JSON object as it is; the host checks its contents again. */
export function jsonObject(value: unknown): JsonObject {
  if (!isObject(value)) throw new FieldError("must be an object");
  return value as JsonObject;
}

function isObject(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function field<T>(name: string, reader: Reader<T>, value: unknown): T {
  try {
    return reader(value);
  } catch (error) {
    if (!(error instanceof FieldError)) throw error;
    throw new FieldError(error.message, error.path === "" ? name : `${name}.${error.path}`);
  }
}
