/** `bulkhead completion`: every command, its options, and the plugins of the running host, as bash completes them. */
import { execFile } from "node:child_process";
import { symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { controlled } from "../control/controlled.js";
import { assert, suite } from "../harness.js";
import { REPO } from "../kit/host.js";
import { plugin } from "../kit/plugins.js";
import { cli } from "./cli.js";

const test = suite("cli/completion");
const run = promisify(execFile);

test(
  "bash: commands, options, names of the running host; files only where a path belongs",
  async (t) => {
    const { home, host } = await controlled(t, { "bridge.js": plugin("bridge") });
    await host.driver("bridge").createNetwork("net-1");
    const bin = await t.folder();
    await symlink(join(REPO, "dist/cli/main.js"), join(bin, "bulkhead"));
    await writeFile(join(bin, "script"), (await cli(["completion", "bash"])).out);
    const complete = async (...words: string[]): Promise<string[]> => {
      const code = `. ${bin}/script; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _bulkhead; echo "\${COMPREPLY[@]}"`;
      const env = { ...process.env, PATH: `${bin}:${process.env.PATH}` };
      const { stdout, stderr } = await run("bash", ["-c", code, "bash", "bulkhead", ...words], {
        cwd: home.path("."),
        env,
      });
      assert.is(stderr, "");
      return stdout.trim().split(" ");
    };
    assert.equal((await complete("st")).sort(), ["start", "state", "status", "stop"]);
    assert.equal(await complete("logs", "--fo"), ["--follow"]);
    assert.equal(await complete("restart", "br"), ["bridge"]);
    await writeFile(home.path("policy.json"), "{}");
    const nothing = [""];
    const cases: readonly (readonly [words: readonly string[], offered: readonly string[]])[] = [
      [["restart", ""], ["bridge"]],
      [["restart", "bridge", ""], nothing],
      [["restart", "--data-dir", home.path("none"), ""], nothing],
      [["restart", "--data-dir", home.path("data"), ""], ["bridge"]],
      [
        ["restart", "--data-dir", ""],
        ["data", "plugins", "policy.json"],
      ],
      [
        ["restart", "--control", "=", ""],
        ["data", "plugins", "policy.json"],
      ],
      [["logs", "-n", ""], nothing],
      [["logs", "-n", "3", ""], ["bridge"]],
      [
        ["inspect", ""],
        ["bridge", "net-1"],
      ],
      [["shape", ""], nothing],
      [["why", "p"], nothing],
      [["ps", ""], nothing],
      [["call", ""], ["bridge"]],
      [
        ["call", "bridge", "create"],
        ["createNetwork", "createEndpoint"],
      ],
      [["call", "bridge", "createNetwork", ""], nothing],
      [
        ["record", ""],
        ["show", "export"],
      ],
      [
        ["policy", "check", "p"],
        ["plugins", "policy.json"],
      ],
      [["policy", "learn", "b"], ["bridge"]],
      [["check", "pl"], ["plugins"]],
      [["check", "plugins/"], ["plugins/bridge.js"]],
      [["serve", "--backend", "m"], ["model"]],
    ];
    for (const [words, offered] of cases)
      assert.equal((await complete(...words)).sort(), [...offered].sort(), words.join(" "));
  },
  { ms: 60_000 },
);

test("zsh and fish: files only where a path belongs", async () => {
  const zsh = (await cli(["completion", "zsh"])).out.split("\n");
  const files = zsh
    .filter((line) => line.endsWith("_bulkhead_files ;;"))
    .map((line) => line.trim().split(")")[0] ?? "");
  assert.equal(
    files.flatMap((line) => line.split("|")).filter((one) => one.includes(":")),
    ["policy:1", "new:0", "check:0", "dev:0", "test:0", "bench:0", "backup:0", "restore:0"],
  );
  const fish = (await cli(["completion", "fish"])).out.split("\n");
  assert.ok(fish.includes("complete -c bulkhead -f"));
  assert.equal(
    fish.filter((line) => line.includes("__bulkhead_at") && line.includes(" -F")).map((line) => line.split("'")[1]),
    files
      .flatMap((line) => line.split("|"))
      .filter((one) => one.includes(":"))
      .map((one) => `__bulkhead_at ${one.replace(":", " ")}`),
  );
});

test("zsh and fish name every command; another shell is wrong use", async () => {
  const { out } = await cli(["--help"]);
  const commands = [...out.slice(out.indexOf("Commands:")).matchAll(/^ {2}([a-z]+) /gm)].map(([, name = ""]) => name);
  for (const shell of ["zsh", "fish"]) {
    const script = (await cli(["completion", shell])).out;
    for (const name of commands)
      if (name !== "help") assert.match(script, new RegExp(`\\b${name}\\b`), `${shell}: ${name}`);
  }
  const wrong = await cli(["completion", "cmd"]);
  assert.equal([wrong.exit, wrong.err], [2, "error ERR_USAGE: there is completion for bash, zsh, fish\n"]);
});

test.run();
