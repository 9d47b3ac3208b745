/** src/doctor/README.md: every check, in the order in which they are reported. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CHECKS } from "#dist/doctor/checks.js";
import { assert, suite } from "../harness.js";
import { REPO } from "../kit/host.js";
import { firstCells } from "./pages.js";

const test = suite("documentation: src/doctor/README.md");
const page = readFileSync(join(REPO, "src/doctor/README.md"), "utf8");

test("every check of the walls, with its wall", () => {
  const rows = [...page.matchAll(/^\| `([\w.-]+)` \| .* \| (\w+) \|$/gm)].map(([, name, part]) => [name, part]);
  assert.equal(
    rows,
    CHECKS.map(({ name, part }) => [name, part]),
  );
});

test("every check of the machine's network", () => {
  const source = readFileSync(join(REPO, "src/doctor/network/checks.ts"), "utf8");
  const names = [...source.matchAll(/name: "(machine\.[\w-]+)"/g)].map(([, name = ""]) => name);
  assert.equal(firstCells(page, "| check | tries to |"), names);
});

test("every check of the store that hosts share", () => {
  const source = readFileSync(join(REPO, "src/doctor/cluster.ts"), "utf8");
  const names = [...source.matchAll(/name: "(cluster\.[\w-]+)"/g)].map(([, name = ""]) => name);
  assert.equal(firstCells(page, "| check of the store | tries to |"), names);
});

test.run();
