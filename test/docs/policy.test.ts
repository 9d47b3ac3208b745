/** examples/serve/README.md: every key of the policy and of the daemon's file, each permission's limits, and their defaults. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { jsonSchemas } from "#dist/cli/json-schemas.js";
import { settle } from "#dist/cli/serve/settings.js";
import { PERMISSIONS } from "#dist/permissions/catalogue.js";
import { assert, suite } from "../harness.js";

const test = suite("documentation: examples/serve/README.md");
const text = readFileSync(join(process.cwd(), "examples/serve/README.md"), "utf8");

type Schema = { readonly properties?: Readonly<Record<string, Schema>>; readonly additionalProperties?: Schema };

/** The rows of the table under a heading, as lists of cells. */
function table(heading: string): string[][] {
  const [, body = ""] = text.split(`| ${heading} |`);
  const [rows = ""] = body.split("\n\n");
  return rows
    .split("\n")
    .slice(2)
    .map((row) =>
      row
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

const names = (cell = ""): string[] => [...cell.matchAll(/`(\w+)`/g)].map(([, name = ""]) => name);
const first = (heading: string): string[] =>
  table(heading)
    .flatMap(([cell]) => names(cell))
    .sort();
const keys = (schema: Schema | undefined): string[] =>
  Object.keys(schema?.properties ?? {})
    .filter((key) => key !== "$schema")
    .sort();

test("the keys of the policy and of its entries", () => {
  const policy = jsonSchemas()["bulkhead.config.schema.json"] as Schema;
  assert.equal(first("key of the policy"), keys(policy));
  assert.equal(first("key of an entry"), keys(policy.properties?.plugins?.additionalProperties));
});

test("each permission's limits, with their defaults", () => {
  const told: Record<string, Record<string, string>> = {};
  let last = "";
  for (const [name, limits, , value = ""] of table("permission | limit")) {
    last = names(name)[0] ?? last;
    told[last] ??= {};
    for (const limit of names(limits)) (told[last] as Record<string, string>)[limit] = value.replaceAll("`", "");
  }
  const real = Object.entries(PERMISSIONS).map(([name, row]) => {
    const defaults = row.defaults as Record<string, unknown>;
    const needed: readonly string[] = row.needed ?? [];
    const word = (limit: string): string => {
      const value = defaults[limit];
      if (needed.includes(limit)) return "must be named";
      return value === undefined || (Array.isArray(value) && value.length === 0) ? "none" : String(value);
    };
    return [name, Object.fromEntries(Object.keys(row.limits.shape).map((limit) => [limit, word(limit)]))];
  });
  assert.equal(told, Object.fromEntries(real));
});

test("the keys of the daemon's file, with their defaults", () => {
  assert.equal(first("key"), keys(jsonSchemas()["serve.schema.json"] as Schema));
  const settings = settle({}, {}) as unknown as Record<string, unknown>;
  for (const [cell, , told = ""] of table("key")) {
    const value = settings[names(cell)[0] ?? ""];
    if (value !== undefined) assert.match(told, `\`${String(value)}\``.replaceAll("`", "").trim());
  }
});

test.run();
