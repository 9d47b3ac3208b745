/** examples/demo/README.md: its output and its table have the steps of the demonstration. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { STEPS } from "../demo-steps.js";
import { assert, suite } from "../harness.js";
import { REPO } from "../kit/host.js";
import { codeBlock } from "./blocks.js";
import { firstCells } from "./pages.js";

const test = suite("documentation: examples/demo/README.md");
const PAGE = "examples/demo/README.md";

test("the output has every step, all of them well, on a kernel", async () => {
  const [first, ...lines] = (await codeBlock(PAGE, "", "bulkhead demo")).trim().split("\n");
  assert.is(first, "bulkhead demo  (isolation: process, backend: kernel)");
  assert.is(lines.at(-1), "all of it worked");
  const steps = lines.filter((line) => /^\S+ +\w+ +\d+ ms {2}/.test(line));
  assert.equal(
    steps.map((line) => line.split(/ +/).slice(0, 2)),
    STEPS.map((step) => ["ok", step]),
  );
});

test("the table says what each step does", () => {
  assert.equal([...firstCells(readFileSync(join(REPO, PAGE), "utf8"), "| step | what it does |")], [...STEPS]);
});

test.run();
