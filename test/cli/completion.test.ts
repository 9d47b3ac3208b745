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
  "bash: commands, options, ids of plugins",
  async (t) => {
    const { home } = await controlled(t, { "bridge.js": plugin("bridge") });
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
  },
  { ms: 60_000 },
);

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
