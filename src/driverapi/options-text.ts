/**
 * Turns a call's options into JSON text. Plain data is checked and serialized without a copy; anything else is copied or refused by
 * `parseOptions`.
 */
import { type JsonLimits, type JsonText, parseOptions, RESERVED } from "./json.js";

/** Returns the text of `parseOptions(value, limits)`; "{}" for undefined. Throws `ERR_BAD_OPTIONS`. */
export function optionsText(value: unknown, limits: JsonLimits): JsonText {
  if (value === undefined) return "{}";
  return plainText(value, limits) ?? JSON.stringify(parseOptions(value, limits));
}

/** Returns undefined if the value is not certainly plain. */
function plainText(value: unknown, limits: JsonLimits): JsonText | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  try {
    if ("toJSON" in Object.prototype || Object.keys(value).some(isReserved)) return undefined;
    const left: Left = { nodes: limits.nodes, chars: limits.chars ?? Number.POSITIVE_INFINITY };
    if (!isPlain(value, limits.depth, left)) return undefined;
    const text: unknown = JSON.stringify(value);
    // Only a proxy can serialize to something else than was checked.
    return typeof text === "string" && text.startsWith("{") ? text : undefined;
  } catch {
    return undefined;
  }
}

const isReserved = (key: string): boolean => key.startsWith(RESERVED);

interface Left {
  nodes: number;
  chars: number;
}

/** True for plain data within the limits. Calls no getter and no `toJSON`. */
function isPlain(value: unknown, depth: number, left: Left): boolean {
  if (--left.nodes < 0) return false;
  switch (typeof value) {
    case "string":
      left.chars -= value.length;
      return left.chars >= 0;
    case "number":
      return Number.isFinite(value);
    case "boolean":
      return true;
    case "object":
      if (value === null) return true;
      if (depth <= 0) return false;
      return Array.isArray(value) ? isPlainArray(value, depth, left) : isPlainObject(value, depth, left);
    default:
      return false;
  }
}

function isPlainArray(value: readonly unknown[], depth: number, left: Left): boolean {
  if (value.length > left.nodes || "toJSON" in value) return false;
  for (let i = 0; i < value.length; i++) if (!isPlainProperty(value, i, depth, left)) return false;
  return true;
}

function isPlainObject(value: object, depth: number, left: Left): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return false;
  if (Object.getOwnPropertySymbols(value).length > 0 || Object.hasOwn(value, "toJSON")) return false;
  for (const key of Object.keys(value)) {
    left.chars -= key.length;
    if (left.chars < 0 || key === "__proto__" || !isPlainProperty(value, key, depth, left)) return false;
  }
  return true;
}

function isPlainProperty(of: object, key: string | number, depth: number, left: Left): boolean {
  const property = Object.getOwnPropertyDescriptor(of, key);
  return property !== undefined && isPlain(property.value, depth - 1, left);
}
