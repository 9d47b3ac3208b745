/** Every table of figures on a page: each figure has the value that the code has. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as limits from "#dist/protocol/limits.js";
import { assert, suite } from "../harness.js";
import { REPO } from "../kit/host.js";
import { allPages } from "./pages.js";

const test = suite("documentation: figures");
const HEADING = "| figure | value | what it is |\n| --- | --- | --- |\n";
/** By the name of its table, what the code has. */
const CODE = limits as unknown as Readonly<Record<string, Readonly<Record<string, number>>>>;

test("each figure on a page is the code's", () => {
  let rows = 0;
  for (const page of allPages()) {
    for (const table of readFileSync(join(REPO, page), "utf8").split(HEADING).slice(1)) {
      for (const row of (table.split("\n\n")[0] ?? "").trimEnd().split("\n")) {
        const [, of = "", name = "", value] = /^\| `(\w+)\.(\w+)` \| ([\d.]+) \| .+ \|$/.exec(row) ?? [];
        assert.is(Number(value), CODE[of]?.[name], `${page}: ${row}`);
        rows++;
      }
    }
  }
  assert.ok(rows > 20);
});

test.run();
