/** Reads the object that a plugin gives to a method: known fields only, each of its type. */
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
