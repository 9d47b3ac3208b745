/** The command as users start it: a plain `ps` without Node where there is curl, everything else, and whatever goes wrong, with Node. */
import { execFile } from "node:child_process";
import { chmod, chown, mkdir, readlink, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { promisify } from "node:util";
import { program } from "#dist/permissions/netlink/kernel/programs.js";
import { controlled, raw } from "../control/controlled.js";
import { assert, suite, type TestContext } from "../harness.js";
import { REPO } from "../kit/host.js";
import { plugin } from "../kit/plugins.js";

const test = suite("cli: launcher");
const needs = program("curl") === undefined ? "there is no curl (Debian: apt-get install curl)" : undefined;
const BULKHEAD = join(REPO, "dist/cli/bulkhead");

interface Printed {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A folder of programs: what the script uses, and `node`, which only says what it was started with. */
async function programs(t: TestContext, ...left: readonly string[]): Promise<string> {
  const folder = await t.folder();
  for (const name of ["sh", "readlink", "curl"].filter((one) => !left.includes(one)))
    await symlink(program(name) ?? "", join(folder, name));
  await writeFile(join(folder, "node"), `#!${program("sh")}\nprintf 'node %s\\n' "$*"\nexit 7\n`);
  await chmod(join(folder, "node"), 0o755);
  return folder;
}

function run(args: readonly string[], env: NodeJS.ProcessEnv, cwd: string = REPO, file = BULKHEAD): Promise<Printed> {
  return promisify(execFile)(file, args, { env, cwd }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: Printed) => error,
  );
}

/** Without what changes from one moment to the next. */
const steady = (table: string): string => table.replace(/\d+(\.\d+)? (s|ms|MiB)\b/g, "#").replace(/ +/g, " ");

test(
  "a plain ps starts no Node, and prints what Node prints; the socket is found as Node finds it",
  async (t) => {
    const { socket, home } = await controlled(t, { "net.js": plugin("net") });
    const PATH = await programs(t);
    const byNode = await run(
      ["ps", "--control", socket],
      { ...process.env, NO_COLOR: "1" },
      REPO,
      join(REPO, "dist/cli/main.js"),
    );
    assert.match(byNode.stdout, /^ID +STATE.*\nnet +running /);
    for (const [args, cwd] of [
      [["ps", "--control", socket], REPO],
      [["ps", "--data-dir", home.path("data")], REPO],
      [["ps"], home.path(".")],
    ] as const) {
      const ran = await run(args, { PATH }, cwd);
      assert.equal([ran.code, steady(ran.stdout), ran.stderr], [0, steady(byNode.stdout), ""], args.join(" "));
    }
  },
  { needs },
);

test(
  "options, other commands, a missing socket, another server and a machine without curl are Node's",
  async (t) => {
    const { socket } = await controlled(t, { "net.js": plugin("net") });
    const [PATH, without] = [await programs(t), await programs(t, "curl")];
    const folder = await t.folder();
    const other = createServer((_, response) => response.writeHead(404).end("who are you?"));
    await new Promise<void>((resolve) => other.listen(join(folder, "other.sock"), resolve));
    t.cleanup(() => other.close());
    for (const [args, path] of [
      [["ps", "--json", "--control", socket], PATH],
      [["ps", "--help"], PATH],
      [["ps", "--control"], PATH],
      [["status", "--control", socket], PATH],
      [["ps", "--control", join(folder, "none.sock")], PATH],
      [["ps", "--control", join(folder, "other.sock")], PATH],
      [["ps", "--control", socket], without],
      [[], PATH],
    ] as const) {
      const ran = await run(args, { PATH: path });
      const words = `node ${[join(REPO, "dist/cli/main.js"), ...args].join(" ")}\n`;
      assert.equal([ran.code, ran.stdout, ran.stderr], [7, words, ""]);
    }
  },
  { needs },
);

test(
  "a socket of another account is Node's, which escapes what it says",
  async (t) => {
    const { socket } = await controlled(t, { "net.js": plugin("net") });
    await chown(socket, 65_534, 65_534);
    const ran = await run(["ps", "--control", socket], { PATH: await programs(t) });
    assert.is(ran.code, 7, "Node was started");
  },
  { needs: needs ?? (process.getuid?.() === 0 ? undefined : "only root can give a socket away") },
);

test(
  "a user's curl settings and proxies do not count",
  async (t) => {
    const { socket } = await controlled(t, { "net.js": plugin("net") });
    const home = await t.folder();
    await writeFile(join(home, ".curlrc"), `output = "${join(home, "table")}"\n`);
    const env = {
      PATH: await programs(t),
      HOME: home,
      http_proxy: "http://127.0.0.1:1",
      all_proxy: "http://127.0.0.1:1",
    };
    const ran = await run(["ps", "--control", socket], env);
    assert.is(ran.code, 0);
    assert.match(ran.stdout, /^ID +STATE/);
  },
  { needs },
);

test("started through symlinks, as npm installs it, it finds main.js", async (t) => {
  const [PATH, bin] = [await programs(t), await t.folder()];
  await mkdir(join(bin, "a b"));
  await symlink(BULKHEAD, join(bin, "a b/first"));
  await symlink(join(bin, "a b/first"), join(bin, "bulkhead"));
  assert.is(await readlink(join(bin, "bulkhead")), join(bin, "a b/first"));
  const ran = await run(["--version"], { PATH }, bin, join(bin, "bulkhead"));
  assert.is(ran.stdout, `node ${join(REPO, "dist/cli/main.js")} --version\n`);
});

test(
  "colours on a terminal alone, and not with NO_COLOR; another value is a client's mistake",
  async (t) => {
    const { socket } = await controlled(t, { "net.js": plugin("net") });
    const PATH = await programs(t);
    const line = `${BULKHEAD} ps --control ${socket}`;
    const onTerminal = async (more: NodeJS.ProcessEnv): Promise<string> =>
      (
        await promisify(execFile)(program("script") ?? "script", ["-qec", line, "/dev/null"], {
          env: { PATH, SHELL: program("sh"), ...more },
        })
      ).stdout;
    const green = "\u001b[32mrunning\u001b[0m";
    assert.ok((await onTerminal({})).includes(green));
    assert.not.ok((await onTerminal({ NO_COLOR: "1" })).includes("\u001b["));
    assert.not.ok((await run(["ps", "--control", socket], { PATH })).stdout.includes("\u001b["));
    const wrong = await raw(socket, "GET", "/v1/plugins.txt?colour=red");
    assert.equal([wrong.status, wrong.body.field], [400, "query.colour"]);
  },
  {
    needs:
      needs ?? (program("script") === undefined ? "there is no script (Debian: apt-get install bsdutils)" : undefined),
  },
);

test.run();
