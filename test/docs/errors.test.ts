/** The codes and the table of src/driverapi/README.md agree, in both directions; no page names a code that does not exist. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ERROR_CODES } from "#dist/driverapi/error-codes.js";
import { DriverError } from "#dist/driverapi/errors.js";
import { assert, suite } from "../harness.js";
import { BEGIN, END, ERRORS_PAGE, errorTable } from "./error-table.js";
import { allPages, firstCells } from "./pages.js";

const test = suite("documentation: error codes");
const read = (file: string): string => readFileSync(join(process.cwd(), file), "utf8");

test("the page's table is the table", () => {
  const text = read(ERRORS_PAGE);
  const shown = text.slice(text.indexOf(BEGIN) + BEGIN.length, text.indexOf(END)).trim();
  assert.is(shown, errorTable(), "run: node build/test/docs/error-table.js --write");
});

test("the page has every member of a DriverError", () => {
  const error = new DriverError("ERR_INTERNAL", "words", { cause: new Error("reason") });
  const members = Object.getOwnPropertyNames(error).filter((name) => name !== "name" && name !== "stack");
  assert.equal([...firstCells(read(ERRORS_PAGE), "| member | is |")].sort(), members.sort());
});

test("no document names a code that does not exist", () => {
  for (const file of allPages()) {
    for (const [code] of read(file).matchAll(/\bERR_[A-Z_]+\b/g)) {
      if (code === "ERR_ACCESS_DENIED") continue; // Node's own
      assert.ok(Object.hasOwn(ERROR_CODES, code), `${file} names ${code}`);
    }
  }
});

/** Codes of Node that src knows. */
const NODES_OWN = new Set([
  "ERR_ACCESS_DENIED",
  "ERR_CRYPTO_HASH_FINALIZED",
  "ERR_DLOPEN_DISABLED",
  "ERR_MODULE_NOT_FOUND",
  "ERR_SYSTEM_ERROR",
  "ERR_WORKER_OUT_OF_MEMORY",
]);

/** All of src but the table. */
function sources(): string {
  const root = join(process.cwd(), "src");
  return readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.endsWith("driverapi/error-codes.ts"))
    .map((name) => readFileSync(join(root, name), "utf8"))
    .join("\n");
}

test("every code is used somewhere in src", () => {
  const text = sources();
  const unused = Object.keys(ERROR_CODES).filter((code) => !text.includes(code));
  assert.equal(unused, []);
});

test("src gives no code that the table lacks", () => {
  const codes = [...sources().matchAll(/"(ERR_[A-Z_]+)"/g)].map(([, code = ""]) => code);
  const unlisted = codes.filter((code) => !Object.hasOwn(ERROR_CODES, code) && !NODES_OWN.has(code));
  assert.equal(unlisted, []);
});

test.run();
