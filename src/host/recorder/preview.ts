/** The beginning of a value's JSON text, for people: a plugin's arguments can be large, and only so much of them is visited. */
import type { Json } from "../../driverapi/json.js";

/** Returns at most `max` UTF-16 units of the JSON text. */
export function previewOf(value: Json, max: number): string {
  return textOf(value, max).slice(0, max);
}

function textOf(value: Json, max: number): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, max));
  if (value === null || typeof value !== "object") return String(value);
  const isArray = Array.isArray(value);
  let text = isArray ? "[" : "{";
  for (const key of Object.keys(value)) {
    if (text.length > max) return text;
    const name = isArray ? "" : `${JSON.stringify(key.slice(0, max))}:`;
    const item = (value as Readonly<Record<string, Json>>)[key] ?? null;
    text += `${text.length > 1 ? "," : ""}${name}${textOf(item, max - text.length)}`;
  }
  return text + (isArray ? "]" : "}");
}
