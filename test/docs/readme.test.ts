/** README.md: what it claims is run. */
import { execFile } from "node:child_process";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { createPluginHost } from "#dist/index.js";
import { parsePolicy } from "#dist/policy/parse-policy.js";
import { STEPS } from "../demo-steps.js";
import { assert, suite, type TestContext } from "../harness.js";
import { REPO } from "../host/platform/house.js";
import { noBubblewrap } from "../isolation/walled.js";
import { type Costs, ISOLATIONS } from "../load/costs.js";

const test = suite("documentation: README.md");
const run = promisify(execFile);
const readme = readFile(join(REPO, "README.md"), "utf8");

/** The code blocks of one language that hold a text. */
async function block(language: string, holds: string): Promise<string> {
  const all = [...(await readme).matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)];
  const found = all.filter(([, of, text = ""]) => of === language && text.includes(holds));
  assert.is(found.length, 1, `one block of ${language || "plain text"} with ${holds}`);
  return found[0]?.[2] ?? "";
}

/** An empty project in which "bulkhead" is installed, with the README's driver and policy. */
async function project(t: TestContext): Promise<string> {
  const folder = await t.folder();
  await mkdir(join(folder, "node_modules"));
  await symlink(REPO, join(folder, "node_modules/bulkhead"));
  await mkdir(join(folder, "plugins"));
  await writeFile(join(folder, "plugins/tiny.js"), await block("js", 'registerDriver("tiny"'));
  await writeFile(join(folder, "bulkhead.config.json"), await block("json", '"plugins"'));
  return folder;
}

/** What a script prints, and what its comments say it prints. */
async function runs(folder: string, script: string): Promise<void> {
  await writeFile(join(folder, "main.mjs"), script);
  const { stdout } = await run(process.execPath, ["main.mjs"], { cwd: folder });
  const said = [...script.matchAll(/^console\.log\(.*\); \/\/ (.*)$/gm)].map(([, text]) => text);
  assert.ok(said.length > 0);
  assert.equal(stdout.trim().split("\n"), said);
}

test("its commands are scripts of package.json", async () => {
  const { scripts } = JSON.parse(await readFile(join(REPO, "package.json"), "utf8")) as { scripts: object };
  const lines = (await block("sh", "npm ci")).trim().split("\n");
  const commands = lines.map((line) => /^npm ci && npm (run )?(\w+)\b/.exec(line)?.[2]);
  assert.equal(commands, ["demo", "test"]);
  assert.ok(commands.every((command) => command !== undefined && Object.hasOwn(scripts, command)));
});

test("what the demonstration prints has its steps, all of them well, on a kernel", async () => {
  const text = await block("", "bulkhead demo");
  const [first, ...lines] = text.trim().split("\n");
  assert.is(first, "bulkhead demo  (isolation: process, backend: kernel)");
  assert.is(lines.at(-1), "all of it worked");
  const steps = lines.filter((line) => /^\S+ +\w+ +\d+ ms {2}/.test(line));
  assert.equal(
    steps.map((line) => line.split(/ +/).slice(0, 2)),
    STEPS.map((step) => ["ok", step]),
  );
  assert.ok((await readme).indexOf(text) < 3000, "on the first screen");
});

test(
  "the driver loads, passes `bulkhead check`, and works under the policy shown",
  async (t) => {
    const folder = await project(t);
    const policy = await block("json", '"plugins"');
    assert.ok(parsePolicy(policy, "README.md").plugins?.tiny);
    const check = await run(process.execPath, [join(REPO, "dist/cli/main.js"), "check", "plugins/tiny.js"], {
      cwd: folder,
    });
    assert.match(check.stdout, /tiny/);
    const host = await createPluginHost({
      plugins: join(folder, "plugins"),
      policy: join(folder, "bulkhead.config.json"),
    });
    t.cleanup(() => host.close());
    assert.equal(
      host.plugins().map(({ name, state, drivers }) => [name, state, ...drivers]),
      [["tiny", "running", "tiny"]],
    );
    await host.driver("tiny").createNetwork("n");
  },
  { needs: noBubblewrap },
);

test(
  "embedding: the script runs as it stands",
  async (t) => {
    await runs(await project(t), await block("js", 'host.driver("tiny")'));
  },
  { needs: noBubblewrap },
);

test(
  "packets: the script runs as it stands",
  async (t) => {
    await runs(await project(t), await block("js", "host.attach("));
  },
  { needs: noBubblewrap },
);

test("the table of commands is what `bulkhead --help` says", async () => {
  const { stdout } = await run(process.execPath, [join(REPO, "dist/cli/main.js"), "--help"]);
  const list = (stdout.split("Commands:\n")[1] ?? "").replaceAll(/\n {4,}/g, " ");
  const told = [...list.matchAll(/^ {2}(\w+) (?:\[options\] ?)?(?:<(\w+)>)? {2,}(.*)$/gm)]
    .filter(([, name]) => name !== "help")
    .map(([, name, argument, says]) => [`bulkhead ${name}${argument ? ` ${argument.toUpperCase()}` : ""}`, says]);
  const rows = [...(await readme).matchAll(/^\| `(bulkhead [^`]+)` \| (.*) \|$/gm)].map(([, command, says]) => [
    command,
    says,
  ]);
  assert.ok(told.length >= 4);
  assert.equal(rows, told);
});

test(
  "the doctor's JSON has the members it names, and no others",
  async () => {
    const text = /`(\{ ok, policy,[^`]*)`/.exec(await readme)?.[1] ?? "";
    const names = text.match(/[a-z]+/g) ?? [];
    const { stdout } = await run(process.execPath, [join(REPO, "dist/cli/main.js"), "doctor", "--json"]);
    const { checks, network, ...rest } = JSON.parse(stdout) as { checks: object[]; network: object[] };
    const members = [checks, network].flatMap(([first = {}]) => Object.keys(first));
    const has = new Set([...Object.keys(rest), "checks", "network", ...members]);
    const told = new Set(names.filter((name) => !["yes", "no", "skipped"].includes(name)));
    assert.equal([...told].sort(), [...has].sort());
  },
  { needs: noBubblewrap },
);

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

test("the documents it points to are there", async () => {
  for (const [, file = ""] of (await readme).matchAll(/\]\(((?!https?:)[^)#]+)\)/g)) {
    await readFile(join(REPO, file)).catch(() => assert.unreachable(`README points to ${file}`));
  }
});

test.run();
