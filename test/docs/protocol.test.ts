/** src/protocol/README.md: the version, every kind of message with its fields, every call. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DRIVER_METHODS, OPTIONAL_DRIVER_METHODS } from "#dist/driverapi/index.js";
import { PROTOCOL_VERSION } from "#dist/protocol/messages.js";
import { assert, suite } from "../harness.js";
import { REPO } from "../kit/host.js";
import { firstCells } from "./pages.js";

const test = suite("documentation: src/protocol/README.md");
const read = (path: string): string => readFileSync(join(REPO, path), "utf8");
const page = read("src/protocol/README.md");
const messages = read("src/protocol/messages.ts");
const control = read("src/isolation/control.ts");

/** The fields of each kind in a union of types, by kind. */
function kinds(source: string, type: string): Readonly<Record<string, readonly string[]>> {
  // A comment between two of its types may hold a semicolon.
  const bare = source.replaceAll(/\/\*\*[\s\S]*?\*\//g, "");
  const [, body = ""] = new RegExp(`type ${type} =([\\s\\S]*?);\\n\\n`).exec(`${bare}\n`) ?? [];
  const rows = [...body.matchAll(/\{([^{}]*kind: "[^{}]*)\}/g)].map(([, fields = ""]): [string, string[]] => [
    /kind: "(\w+)"/.exec(fields)?.[1] ?? "",
    [...fields.matchAll(/readonly (\w+):/g)].flatMap(([, name = ""]) => (name === "kind" ? [] : [name])),
  ]);
  assert.ok(rows.length > 2, `${type} has ${rows.length} kinds`);
  return Object.fromEntries(rows);
}

/** What a table of messages says: the fields of each kind. */
function told(heading: string): Readonly<Record<string, readonly string[]>> {
  const [, section = ""] = page.split(`\n## ${heading}\n`);
  const [own = ""] = section.split("\n## ");
  const rows = [...own.matchAll(/^\| `(\w+)` \|([^|]*)\|/gm)];
  return Object.fromEntries(
    rows.map(([, kind = "", fields = ""]) => [kind, [...fields.matchAll(/`(\w+)`/g)].map(([, name = ""]) => name)]),
  );
}

test("the version", () => {
  assert.match(page, `The version is ${PROTOCOL_VERSION}.`);
});

test("every message, with its fields", () => {
  const [, start = ""] = /interface StartMessage \{([\s\S]*?)\n\}/.exec(messages) ?? [];
  const fields = [...start.matchAll(/readonly (\w+):/g)].map(([, name = ""]) => name).filter((name) => name !== "kind");
  assert.equal(told("Messages down"), { start: fields, ...kinds(messages, "DownMessage") });
  assert.equal(told("Messages up"), kinds(messages, "UpMessage"));
});

test("every control message", () => {
  assert.equal(firstCells(page, "| down | means |"), Object.keys(kinds(control, "ControlDown")));
  assert.equal(firstCells(page, "| up | means |"), Object.keys(kinds(control, "ControlUp")));
});

test("every call", () => {
  assert.equal(
    firstCells(page, "| call | arguments | reply |"),
    [...DRIVER_METHODS, ...OPTIONAL_DRIVER_METHODS].filter((name) => name !== "type"),
  );
});

test.run();
