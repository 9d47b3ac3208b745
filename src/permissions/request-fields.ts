/** Reads what a plugin gives to a method: known fields only, each of its type. */
import { quote } from "../common/quote.js";
import { isJsonObject, type Json } from "../driverapi/json.js";

/** The type of a field. `json`: any value; a field whose type ends with `?` may be absent, but not null. */
export type FieldType = "string" | "number" | "boolean" | "number?" | "json";

/** The fields of one method. */
export type FieldTypes = Readonly<Record<string, FieldType>>;

/**
 * Copies the fields of `types` into a new object. Throws what `refused` returns: rule `fields` for a field that does not exist, `shape`
 * for one that is missing or of the wrong type.
 */
export function readFields(
  given: Json | undefined,
  types: FieldTypes,
  refused: (rule: "fields" | "shape", why: string) => Error,
): Readonly<Record<string, Json>> {
  if (given === undefined || !isJsonObject(given))
    throw refused("shape", `the request must be an object, not ${quote(given ?? null)}`);
  for (const key of Object.keys(given)) {
    if (Object.hasOwn(types, key)) continue;
    throw refused("fields", `unknown field ${quote(key)}; the fields are ${Object.keys(types).join(", ")}`);
  }
  const read: Record<string, Json> = {};
  for (const [key, type] of Object.entries(types)) {
    const value = Object.hasOwn(given, key) ? given[key] : undefined;
    if (value === undefined) {
      if (type === "number?") continue;
      throw refused("shape", `the request needs the field ${key}`);
    }
    const expected = type === "number?" ? "number" : type;
    if (expected !== "json" && typeof value !== expected)
      throw refused("shape", `${key} must be a ${expected}, not ${quote(value)}`);
    read[key] = value;
  }
  return read;
}

/** Reads a whole number. Throws what `wrong` returns. */
export function wholeNumber(key: string, value: Json | undefined, wrong: (why: string) => Error): number {
  if (typeof value === "number" && Number.isSafeInteger(value)) return value;
  throw wrong(`${key} must be a whole number, not ${quote(value)}`);
}

/** Reads a switch. Throws what `wrong` returns. */
export function trueOrFalse(key: string, value: Json | undefined, wrong: (why: string) => Error): boolean {
  if (typeof value === "boolean") return value;
  throw wrong(`${key} must be true or false, not ${quote(value)}`);
}

/** Reads a text. Throws what `wrong` returns. */
export function textIn(key: string, value: Json | undefined, wrong: (why: string) => Error): string {
  if (typeof value === "string") return value;
  throw wrong(`${key} must be a string, not ${quote(value)}`);
}

/** Returns an address in canonical form; one that does not parse is kept unchanged, for the rules to refuse. */
export function canonical(parse: (value: unknown) => string, text: string): string {
  try {
    return parse(text);
  } catch {
    return text;
  }
}
