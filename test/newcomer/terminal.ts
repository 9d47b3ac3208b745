/** The project that plugins/README.md makes, and a shell in it. */
import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { TestContext } from "../harness.js";
import { REPO } from "../kit/host.js";
import { installPacked, pack } from "../packed.js";

const run = promisify(execFile);
const page = readFile(join(REPO, "plugins/README.md"), "utf8");

/** A code block of that page, by the name in the comment ahead of it. */
export async function block(name: string): Promise<string> {
  const found = (await page).split(`<!-- test: ${name} -->`)[1] ?? "";
  const text = /^\n```\w+\n([\s\S]*?)```/.exec(found)?.[1];
  if (text === undefined) throw new Error(`plugins/README.md has no block ${name}`);
  return text;
}

export interface Terminal {
  /** The project that the page makes. */
  readonly folder: string;
  /** Types commands, which must all succeed. */
  type(commands: string): Promise<{ readonly stdout: string; readonly stderr: string }>;
  /** Types a command that runs on. */
  start(command: string): { readonly child: ChildProcess; out(): string };
}

/** A shell with `npx` and `bulkhead` as users have them, and an `npm` that installs from the clone: no registry is needed. */
export async function terminal(t: TestContext): Promise<Terminal> {
  const root = await t.folder();
  const [bin, installed] = [join(root, "bin"), join(root, "installed")];
  for (const folder of [bin, installed]) await mkdir(folder);
  await installPacked(await pack(), installed);
  const npm = execFileSync("which", ["npm"], { encoding: "utf8" }).trim();
  const script = `#!/bin/sh -e
case "$*" in
  "init -y") exec ${npm} init -y ;;
  "install bulkhead") cp -r ${installed}/node_modules . ;;
  "install --save-dev typescript")
    ln -s ${REPO}/node_modules/typescript node_modules/typescript
    ln -s ../typescript/bin/tsc node_modules/.bin/tsc ;;
  "install") mkdir node_modules && cp -r ${REPO}/node_modules/ipaddr.js node_modules/ ;;
  *) echo "npm $*: the page has another command now"; exit 1 ;;
esac
`;
  await writeFile(join(bin, "npm"), script, { mode: 0o755 });
  const env = { ...process.env, PATH: `${bin}:${process.env.PATH}`, npm_config_update_notifier: "false" };
  const folder = join(root, "drivers");
  await run("bash", ["-ec", await block("project")], { cwd: root, env });
  return {
    folder,
    type: (commands) => run("bash", ["-ec", commands], { cwd: folder, env }),
    start(command) {
      // A group of its own, as a terminal makes: npx and what it starts get the signal together.
      const child = spawn("bash", ["-ec", command], { cwd: folder, env, detached: true });
      const ended = once(child, "exit");
      t.cleanup(async () => {
        if (child.exitCode === null && child.signalCode === null && child.pid) process.kill(-child.pid, "SIGKILL");
        await ended;
      });
      let out = "";
      for (const stream of [child.stdout, child.stderr])
        stream.setEncoding("utf8").on("data", (part: string) => {
          out += part;
        });
      return { child, out: () => out };
    },
  };
}
