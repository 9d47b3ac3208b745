/** Wrong use is exit 2 with one line, of JSON with `--json`; help and version are exit 0. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { assert, suite } from "../harness.js";
import { CODE, cli, fill } from "./cli.js";

const test = suite("cli/usage");
const MAIN = fileURLToPath(new URL("../../../dist/cli/main.js", import.meta.url));

const WRONG: readonly (readonly [readonly string[], string])[] = [
  [[], "a command is missing"],
  [["nope"], "unknown command 'nope'"],
  [["grnat", "x"], "Did you mean grant"],
  [["grant"], "missing required argument 'id'"],
  [["revoke"], "missing required argument 'id'"],
  [["check"], "missing required argument 'path'"],
  [["grant", "a", "b"], "too many arguments"],
  [["check", ""], "bulkhead check: the argument <path> is empty; see bulkhead check --help"],
  [["dev", ""], "bulkhead dev: the argument <path> is empty"],
  [["status", ""], "bulkhead status: the argument [id] is empty"],
  [["record", "show", ""], "bulkhead record: the argument [id] is empty"],
  [["ls", "a"], "too many arguments"],
  [["ls", "--nope"], "unknown option '--nope'"],
  [["ls", "--plugins"], "argument missing"],
];
for (const [args, words] of WRONG) {
  test(`wrong use: bulkhead ${args.join(" ")}`, async () => {
    const plain = await cli(args);
    assert.equal([plain.exit, plain.out], [2, ""]);
    assert.ok(plain.err.startsWith("error ERR_USAGE: "), plain.err);
    assert.match(plain.err, words);
    assert.is(plain.err.split("\n").length, 2, "one line");
    if (args.at(-1) === "--plugins") return;
    const json = await cli([...args, "--json"]);
    assert.equal([json.exit, json.json().ok, json.json().error?.code], [2, false, "ERR_USAGE"]);
    assert.equal([json.out.split("\n").length, json.err], [2, ""], "one line");
  });
}

test("with --json a command that fails prints one line too, with what it found", async (t) => {
  const folder = await t.folder();
  const none = await cli(["check", `${folder}/none`, "--json"]);
  assert.equal([none.exit, none.json().error?.code, none.out.split("\n").length], [1, "ERR_PLUGIN_FILE", 2]);
  await fill(folder, { "idle.js": CODE });
  const idle = await cli(["check", `${folder}/idle.js`, "--json"]);
  assert.equal([idle.exit, idle.json().plugin, idle.json().error?.code], [1, "idle", "ERR_PLUGIN_NO_DRIVER"]);
  assert.is(idle.out.split("\n").length, 2);
});

test("with --json a command that succeeds prints one line", async (t) => {
  const folder = await t.folder();
  await fill(folder, { "policy.json": "{}", "plugins/net.js": CODE });
  const places = ["--policy", `${folder}/policy.json`, "--plugins", `${folder}/plugins`];
  for (const args of [
    ["ls", ...places],
    ["policy", "check", `${folder}/policy.json`, ...places],
    ["completion", "bash"],
  ]) {
    const { exit, out, json } = await cli([...args, "--json"]);
    assert.equal([exit, json().ok, out.split("\n").length], [0, true, 2], args.join(" "));
  }
});

test("every command has --json", async () => {
  const { out } = await cli(["--help"]);
  const commands = [...out.slice(out.indexOf("Commands:")).matchAll(/^ {2}([a-z]+) /gm)].map(([, name = ""]) => name);
  for (const name of ["check", "grant", "revoke", "ls"]) assert.ok(commands.includes(name), name);
  for (const name of commands) {
    if (name === "help") continue;
    assert.match((await cli([name, "--help"])).out, "--json", name);
  }
});

test("every command's help has an example of it, and says its exit codes", async () => {
  const { out } = await cli(["--help"]);
  const commands = [...out.slice(out.indexOf("Commands:")).matchAll(/^ {2}([a-z]+) /gm)].map(([, name = ""]) => name);
  for (const name of commands.filter((one) => one !== "help"))
    assert.match(
      (await cli([name, "--help"])).out,
      new RegExp(`\nExample:\n  bulkhead ${name}\\b.*\n\nExit codes: 0 done, 1 failed.*, 2 wrong use.*\\.\n`),
      name,
    );
});

test("help and version are exit 0, on stdout", async () => {
  for (const args of [["--help"], ["-h"], ["help"], ["grant", "--help"]]) {
    const ran = await cli(args);
    assert.equal([ran.exit, ran.err], [0, ""], args.join(" "));
    assert.match(ran.out, "Usage: bulkhead");
  }
  assert.equal((await cli(["--version"])).out, "1.2.3\n");
});

test("the bin itself sets the process's exit code and prints the package's version", async () => {
  const run = (args: readonly string[]): Promise<{ code: number | string; out: string; err: string }> =>
    new Promise((resolve) => {
      execFile(process.execPath, [MAIN, ...args], (error, out, err) => resolve({ code: error?.code ?? 0, out, err }));
    });
  const version = await run(["--version"]);
  assert.is(version.code, 0);
  assert.match(version.out, /^\d+\.\d+\.\d+/);
  assert.is((await run(["nope"])).code, 2);
  const failed = await run(["ls", "--plugins", "/no/such/folder"]);
  assert.is(failed.code, 1);
  assert.match(failed.err, "error ERR_PLUGINS_DIR: ");
});

test("help loads the commands' options and none of their work", async () => {
  const env = { ...process.env, NODE_DEBUG: "esm", NO_COLOR: "1" };
  const { stderr } = await promisify(execFile)(process.execPath, [MAIN, "--help"], { env });
  const loaded = [...new Set([...stderr.matchAll(/node_modules\/((?:@[\w-]+\/)?[\w.-]+)/g)].map(([, name]) => name))];
  assert.equal(loaded, ["commander"]);
});

test.run();
