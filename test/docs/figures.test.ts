/** Every table of figures on a page: each figure has the value that the code has. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { assert, suite } from "../harness.js";
import { REPO } from "../kit/host.js";
import { allPages } from "./pages.js";

const test = suite("documentation: figures");
const HEADING = "| figure | value | what it is |\n| --- | --- | --- |\n";
type Table = Readonly<Record<string, number>>;

/** The tables of every `limits.ts`, by name. */
async function codeTables(): Promise<Map<string, Table>> {
  const tables = new Map<string, Table>();
  const files = readdirSync(join(REPO, "src"), { recursive: true, encoding: "utf8" });
  for (const file of files.filter((name) => /(^|\/)limits\.ts$/.test(name))) {
    const found = (await import(`#dist/${file.replace(/ts$/, "js")}`)) as Readonly<Record<string, Table>>;
    for (const [name, table] of Object.entries(found)) {
      assert.not(tables.has(name), `two tables have the name ${name}; one is in ${file}`);
      tables.set(name, table);
    }
  }
  return tables;
}

test("each figure on a page is the code's", async () => {
  const code = await codeTables();
  let rows = 0;
  for (const page of allPages()) {
    for (const table of readFileSync(join(REPO, page), "utf8").split(HEADING).slice(1)) {
      for (const row of (table.split("\n\n")[0] ?? "").trimEnd().split("\n")) {
        const [, of = "", name = "", value] = /^\| `(\w+)\.(\w+)` \| ([\d.]+) \| .+ \|$/.exec(row) ?? [];
        assert.is(Number(value), code.get(of)?.[name], `${page}: ${row}`);
        rows++;
      }
    }
  }
  assert.ok(rows > 20);
});

test.run();
