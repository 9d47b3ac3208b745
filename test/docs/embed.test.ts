/** examples/embed/README.md: every event, with the members it has. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { assert, suite } from "../harness.js";

const test = suite("documentation: examples/embed/README.md");
const page = readFileSync(join(process.cwd(), "examples/embed/README.md"), "utf8");
const source = readFileSync(join(process.cwd(), "src/host/events.ts"), "utf8");

const names = (text: string): string[] => [...text.matchAll(/`([\w:-]+)`/g)].map(([, name = ""]) => name);

test("every event there is, and no other", () => {
  const [, map = ""] = /interface HostEvents \{([^}]*)\}/.exec(source) ?? [];
  const there = [...map.matchAll(/^ {2}"?([\w:-]+)"?:/gm)].map(([, name = ""]) => name);
  const rows = page.split("\n").filter((line) => /^\| `/.test(line));
  assert.equal(rows.flatMap((row) => names(row.split("|")[1] ?? "")).sort(), [...there].sort());
  for (const row of rows) {
    const [, cell = "", , members = ""] = row.split("|");
    const [name = ""] = names(cell);
    const [, type = ""] = new RegExp(`"?${name}"?: (\\w+);`).exec(map) ?? [];
    const [, body = ""] = new RegExp(`interface ${type} \\{([^}]*)\\}`).exec(source) ?? [];
    for (const member of names(members))
      assert.match(body, new RegExp(`readonly ${member}\\??:`), `${name}: ${member}`);
  }
});

test.run();
