/** src/control/README.md: every operation with its summary, every file. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { METRIC_NAMES } from "#dist/control/metrics.js";
import { OPERATIONS } from "#dist/control/operations.js";
import { assert, suite } from "../harness.js";
import { REPO } from "../kit/host.js";
import { firstCells } from "./pages.js";

const test = suite("documentation: control");
const page = readFileSync(join(REPO, "src/control/README.md"), "utf8");

test("every operation, with its words, in the code's order", () => {
  const rows = [...page.matchAll(/^\| `((?:GET|POST) [^`]+)` \| (.*) \|$/gm)].map(([, request, words]) => [
    request,
    words,
  ]);
  assert.equal(
    rows,
    Object.values(OPERATIONS).map(({ method, path, summary }) => [`${method} ${path}`, summary]),
  );
});

test("every metric, in the code's order", () => {
  assert.equal(firstCells(page, "| metric | labels | says |"), METRIC_NAMES);
});

test("every file and folder", () => {
  const entries = readdirSync(join(REPO, "src/control"), { withFileTypes: true });
  const files = entries.flatMap((one) =>
    one.isDirectory() ? [`${one.name}/`] : one.name.endsWith(".ts") ? [one.name] : [],
  );
  assert.equal([...firstCells(page, "| file | has |")].sort(), files.sort());
});

test.run();
