/** README.md: what it claims is run. */
import { execFile } from "node:child_process";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { createPluginHost } from "#dist/index.js";
import { assert, suite, type TestContext } from "../harness.js";
import { noBubblewrap } from "../isolation/walled.js";
import { REPO } from "../kit/host.js";
import { type Costs, ISOLATIONS } from "../load/costs.js";
import { codeBlock } from "./blocks.js";
import { firstCells } from "./pages.js";
import { PICTURE, picture } from "./picture.js";
import { runsAsPrinted } from "./printed.js";

const test = suite("documentation: README.md");
const run = promisify(execFile);
const readme = readFile(join(REPO, "README.md"), "utf8");
const driver = (): Promise<string> => codeBlock("README.md", "js", 'registerDriver("tiny"');
const embedding = (): Promise<string> => codeBlock("README.md", "js", 'host.driver("tiny")');

/** An empty project in which "bulkhead" is installed, with the README's driver. */
async function project(t: TestContext): Promise<string> {
  const folder = await t.folder();
  await mkdir(join(folder, "node_modules"));
  await symlink(REPO, join(folder, "node_modules/bulkhead"));
  await mkdir(join(folder, "plugins"));
  await writeFile(join(folder, "plugins/tiny.js"), await driver());
  return folder;
}

test("a landing page: at most 150 lines, a driver in 15 and embedding in 10", async () => {
  const lines = (text: string): number => text.trimEnd().split("\n").length;
  assert.ok(lines(await readme) <= 150);
  assert.ok(lines(await driver()) <= 15);
  assert.ok(lines(await embedding()) <= 10);
});

test("its commands are scripts of package.json", async () => {
  const { scripts } = JSON.parse(await readFile(join(REPO, "package.json"), "utf8")) as { scripts: object };
  const lines = (await codeBlock("README.md", "sh", "npm ci")).trim().split("\n");
  const commands = lines.map((line) => /^npm ci && npm (run )?(\w+)\b/.exec(line)?.[2]);
  assert.equal(commands, ["demo", "test"]);
  assert.ok(commands.every((command) => command !== undefined && Object.hasOwn(scripts, command)));
});

test("its picture is the one that the script draws", async () => {
  assert.match(await readme, `](${PICTURE})`);
  assert.is(await readFile(join(REPO, PICTURE), "utf8"), picture(), "run: node build/test/docs/picture.js --write");
});

test(
  "the driver loads and passes `bulkhead check`",
  async (t) => {
    const folder = await project(t);
    const check = await run(process.execPath, [join(REPO, "dist/cli/main.js"), "check", "plugins/tiny.js"], {
      cwd: folder,
    });
    assert.match(check.stdout, /tiny/);
    const host = await createPluginHost({ plugins: join(folder, "plugins") });
    t.cleanup(() => host.close());
    assert.equal(
      host.plugins().map(({ name, state, drivers }) => [name, state, ...drivers]),
      [["tiny", "running", "tiny"]],
    );
  },
  { needs: noBubblewrap },
);

test(
  "embedding: the script runs unchanged",
  async (t) => {
    await runsAsPrinted(await project(t), await embedding());
  },
  { needs: noBubblewrap },
);

test("isolations: a row for each", async () => {
  const named = firstCells(await readme, "| `isolation` | where the worker lives | holds against |");
  assert.equal(
    named.map((name) => name.replaceAll('"', "")),
    [...ISOLATIONS],
  );
});

test("costs: a row for each figure that the bench takes, a column for each isolation, with commit and date", async () => {
  const text = await readme;
  const [, table = ""] = /\n\n(\| \| `"thread"` \|[\s\S]*?)\n\n/.exec(text) ?? [];
  const rows = table.split("\n").map((line) => line.split("|").slice(1, -1));
  assert.equal(
    rows[0]?.slice(1).map((cell) => cell.trim()),
    ISOLATIONS.map((one) => `\`"${one}"\``),
  );
  const units: Readonly<Record<keyof Costs, string>> = { start: "ms", restart: "ms", resident: "MiB", call: "µs" };
  assert.equal(
    rows
      .slice(2)
      .map(([what = "", ...cells]) => [what.split(":")[0]?.trim(), ...cells.map((cell) => cell.trim().split(" ")[1])]),
    Object.entries(units).map(([name, unit]) => [name, ...ISOLATIONS.map(() => unit)]),
  );
  assert.match(text, /rows `cost-\*`; commit [0-9a-f]{7}, \d{4}-\d\d-\d\d, Node /);
});

test("it names the engines it is tested with and the Node to take", async () => {
  assert.match(await readme, "tested with Docker engines 20.10, 26.1 and 28.5");
  assert.match(await readme, "Take Node 24 or 26.");
});

test.run();
