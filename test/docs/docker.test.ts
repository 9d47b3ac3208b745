/** src/docker/README.md: every request of the protocol, and the limits with their values. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DOCKER } from "#dist/docker/limits.js";
import { METHODS } from "#dist/docker/methods.js";
import { assert, suite } from "../harness.js";
import { firstCells } from "./pages.js";

const test = suite("documentation: src/docker/README.md");
const page = readFileSync(join(process.cwd(), "src/docker/README.md"), "utf8");

test("every request that is answered, in the table's order, and no other", () => {
  assert.equal(
    firstCells(page, "| request | what it does |"),
    METHODS.map(({ path }) => path),
  );
});

test("each limit it names has the value it gives", () => {
  const named = firstCells(page, "| limit | value |");
  assert.ok(named.length > 8);
  for (const name of named) {
    const value = (DOCKER as Readonly<Record<string, number>>)[name];
    assert.match(page, new RegExp(`^\\| \`${name}\` \\| ${value}\\b`, "m"), `${name} is ${value}`);
  }
});

test.run();
