/** The bin against a live host: what it loads, that it is fast, colours on a terminal alone, and a reader that goes away. */
import { execFile, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { promisify } from "node:util";
import { runControl } from "#dist/cli/control/program.js";
import type { PluginRow } from "#dist/control/types.js";
import { controlled } from "../../control/controlled.js";
import { assert, rejection, suite } from "../../harness.js";
import { REPO } from "../../kit/host.js";
import { plugin } from "../../kit/plugins.js";

const test = suite("cli/control: process");
const MAIN = join(REPO, "dist/cli/main.js");
const run = promisify(execFile);
const GNU_TAIL = spawnSync("tail", ["--version"]).stdout?.toString().includes("GNU") === true;

/** Runs a command. Returns what it printed, its packages, and its own modules. */
async function loading(...args: readonly string[]) {
  const { stdout, stderr } = await run(process.execPath, [MAIN, ...args], {
    env: { ...process.env, NODE_DEBUG: "esm", NO_COLOR: "1" },
    // Node 24 and later print more than execFile takes by default.
    maxBuffer: 64 * 1024 * 1024,
  });
  const names = (pattern: RegExp) => [...new Set([...stderr.matchAll(pattern)].map(([, name]) => name))];
  return {
    stdout,
    packages: names(/node_modules\/((?:@[\w-]+\/)?[\w.-]+)/g),
    own: names(/dist\/([\w/-]+\.js)/g).sort(),
  };
}

test("a command loads no fastify, no zod and no SES; a plain ps no parser either, and one module", async (t) => {
  const { socket } = await controlled(t, { "net.js": plugin("net") });
  const events = await loading("events", "--control", socket);
  assert.equal(events.packages, ["commander"]);
  const ps = await loading("ps", "--control", socket);
  assert.match(ps.stdout, /^ID +STATE/);
  assert.equal([ps.packages, ps.own], [[], ["cli/control/quick.js", "cli/main.js"]]);
});

test("a plain ps and one that the parser reads say the same; mistakes and help are the parser's", async (t) => {
  const { socket, home } = await controlled(t, { "net.js": plugin("net") });
  const row = async (...args: string[]): Promise<unknown> => {
    const { id, state, types } = JSON.parse((await run(process.execPath, [MAIN, ...args])).stdout) as PluginRow;
    return [id, state, types];
  };
  const parsed = await row("ps", `--control=${socket}`, "--json");
  assert.equal(parsed, ["net", "running", ["net"]]);
  assert.equal(await row("ps", "--json", "--control", socket), parsed);
  assert.equal(await row("ps", "--json", "--data-dir", home.path("data")), parsed);
  assert.match((await run(process.execPath, [MAIN, "ps", "--help"])).stdout, /^Usage: bulkhead ps /);
  const fails = async (...args: string[]): Promise<unknown> => {
    const { code, stderr } = (await rejection(run(process.execPath, [MAIN, "ps", ...args]))) as unknown as {
      code: number;
      stderr: string;
    };
    return [code, /^error (ERR_\w+): /.exec(stderr)?.[1]];
  };
  assert.equal(await fails("--control"), [2, "ERR_USAGE"]);
  assert.equal(await fails("--jsn"), [2, "ERR_USAGE"]);
  assert.equal(await fails("--control", home.path("none.sock")), [3, "ERR_NO_DAEMON"]);
});

test("colours on a terminal alone, and not with NO_COLOR", async (t) => {
  const { socket } = await controlled(t, { "net.js": plugin("net") });
  let out = "";
  const add = (text: string): void => {
    out += text;
  };
  const streams = { out: add, err: () => {} };
  await runControl(["ps", "--control", socket], { ...streams, colour: true }, "1");
  assert.match(out, "\u001b[32mrunning\u001b[0m");
  out = "";
  await runControl(["ps", "--control", socket], streams, "1");
  assert.not.match(out, "\u001b");
});

test("a reader that goes away ends a command that follows", async (t) => {
  const { socket, client } = await controlled(t, { "net.js": plugin("net") });
  const child = spawn(process.execPath, [MAIN, "events", "-f", "--control", socket], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  t.cleanup(() => child.kill("SIGKILL"));
  const ended = once(child, "exit");
  await client.ask("restart", { id: "net" });
  await once(child.stdout, "data");
  child.stdout.destroy();
  await client.ask("restart", { id: "net" });
  assert.equal(await ended, [0, null]);
});

test(
  "a reader of a pipe that goes away ends it without another event, with 0",
  async (t) => {
    const { socket, client } = await controlled(t, { "net.js": plugin("net") });
    await client.ask("restart", { id: "net" });
    for (const json of ["", "--json"]) {
      const line = `"$0" "$1" events -f ${json} --control "$2" | head -1 >/dev/null; echo "\${PIPESTATUS[@]}"`;
      const { stdout, stderr } = await run("bash", ["-c", line, process.execPath, MAIN, socket]);
      assert.equal([stdout, stderr], ["0 0\n", ""]);
    }
  },
  { needs: GNU_TAIL ? false : "GNU tail", ms: 30_000 },
);

test.run();
