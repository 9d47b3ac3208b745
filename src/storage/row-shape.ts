/**
 * Checks rows when they are read: the log's checksums are verified only when it is opened, a bit may flip later, and another version may
 * have written the row.
 */
import { join } from "node:path";
import { corrupt } from "./errors.js";
import type { Table } from "./tables.js";

type Shape = (value: unknown) => boolean;

const isText = (value: unknown): boolean => typeof value === "string";
const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** `[type, nid, eid | null, true | false | word, entry]`, where the entry has a phase and options. */
const isRecord: Shape = (value) => {
  if (!Array.isArray(value) || value.length !== 5) return false;
  const [type, nid, eid, part, entry] = value as readonly unknown[];
  return (
    isText(type) &&
    isText(nid) &&
    (eid === null || isText(eid)) &&
    (typeof part === "boolean" || isText(part)) &&
    isObject(entry) &&
    ["creating", "live", "deleting"].includes(entry.phase as string) &&
    isObject(entry.options) &&
    (entry.interfaces === undefined || (Array.isArray(entry.interfaces) && entry.interfaces.every(isObject)))
  );
};

const isBundle: Shape = (value) =>
  isObject(value) &&
  [value.id, value.code, value.sourceMap, value.sha256].every(isText) &&
  Array.isArray(value.types) &&
  value.types.every(isText);

const isNamed: Shape = (value) => isObject(value) && isText(value.name);

/** `[revision, text, leased]`. */
const isKey: Shape = (value) => {
  if (!Array.isArray(value) || value.length !== 3) return false;
  const [revision, text, leased] = value as readonly unknown[];
  return Number.isSafeInteger(revision) && (revision as number) >= 1 && isText(text) && typeof leased === "boolean";
};

type Checked = Extract<Table, "journal" | "bundles" | "links" | "rules" | "shapes" | "cluster">;

const SHAPES: Readonly<Record<Checked, Shape>> = {
  journal: isRecord,
  bundles: isBundle,
  links: isNamed,
  rules: isNamed,
  shapes: isNamed,
  cluster: isKey,
};

/** The tables whose rows are checked. */
export const CHECKED: readonly Checked[] = Object.keys(SHAPES) as readonly Checked[];

/** Parses a row's value. Throws `ERR_JOURNAL_CORRUPT` if it is not JSON, or not of its table's form. `folder`: the data folder. */
export function rowValue(folder: string, table: Checked, body: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    throw corrupt(join(folder, "log"), `a row of its table ${table} is not JSON`);
  }
  if (!SHAPES[table](value))
    throw corrupt(join(folder, "log"), `a row of its table ${table} is not of that table's form`);
  return value;
}
