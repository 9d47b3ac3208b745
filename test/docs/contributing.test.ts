/** CONTRIBUTING.md: where tests lie, and the table of the variables that set something of them. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { assert, suite } from "../harness.js";

const test = suite("documentation: CONTRIBUTING.md");
const ROOT = process.cwd();
const NAME = /\bBULKHEAD_[A-Z_]+\b/g;

const page = readFileSync(join(ROOT, "CONTRIBUTING.md"), "utf8");

/** The files that may use one: tests, scripts and what CI runs. */
function files(): readonly string[] {
  const all = (folder: string): readonly string[] =>
    readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.(ts|mjs|cjs|sh)$/.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name));
  return [...["test", "src", "examples"].flatMap(all), join(ROOT, "package.json"), join(ROOT, ".ci/run")];
}

test("each variable has one row, and each row a variable that something uses", () => {
  const used = new Set(files().flatMap((file) => readFileSync(file, "utf8").match(NAME) ?? []));
  const rows = [...page.matchAll(/^\| `(BULKHEAD_[A-Z_]+)` \|/gm)].map(([, name = ""]) => name);
  assert.ok(used.size > 0);
  assert.equal([...rows].sort(), [...used].sort());
});

test("a folder of tests is named as one of src/, or the page names it", () => {
  const folders = (path: string): readonly string[] =>
    readdirSync(join(ROOT, path), { withFileTypes: true }).flatMap((one) => (one.isDirectory() ? [one.name] : []));
  const [, list = ""] = /what tests share: ([^.]*)\./.exec(page) ?? [];
  const named = [...list.matchAll(/`(\w+)\/`/g)].map(([, name = ""]) => name);
  const others = folders("test").filter((name) => !folders("src").includes(name));
  assert.equal(others, named);
});

test("each Debian package that CI installs has its place in the page", () => {
  const script = readFileSync(join(ROOT, ".ci/run"), "utf8");
  const [, line = ""] = /apt-get install -y -qq --no-install-recommends (.*) >\/dev\/null\n/.exec(script) ?? [];
  const [, paragraph = ""] = /The tests use these Debian packages ([\s\S]*?)\n\n/.exec(page) ?? [];
  const named: readonly string[] =
    paragraph.replaceAll(/\([^)]*\)|`[^`]*`/g, "").match(/[a-z][a-z0-9.-]*[a-z0-9]/g) ?? [];
  const installed = line.split(" ");
  assert.ok(installed.length > 10);
  assert.equal(
    installed.filter((one) => !named.includes(one)),
    [],
  );
});

test.run();
