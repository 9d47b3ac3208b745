/** Deep equality of JSON values, by comparing text. */
import type { Json } from "../../driverapi/json.js";

/** Returns JSON text with the keys of every object sorted by code unit: equal values have equal texts. */
export function canonicalJson(value: Json): string {
  if (isList(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${fields.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`).join(",")}}`;
}

/** `Array.isArray`, for lists that are readonly. */
function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
