/** The bin against a live host: what it loads, that it is fast, colours on a terminal alone, and a reader that goes away. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { promisify } from "node:util";
import { runControl } from "#dist/cli/control/program.js";
import { controlled } from "../../control/controlled.js";
import { assert, suite } from "../../harness.js";
import { REPO } from "../../kit/host.js";
import { plugin } from "../../kit/plugins.js";

const test = suite("cli/control: process");
const MAIN = join(REPO, "dist/cli/main.js");
const run = promisify(execFile);

test("a command loads no fastify, no zod and no SES", async (t) => {
  const { socket } = await controlled(t, { "net.js": plugin("net") });
  const { stdout, stderr } = await run(process.execPath, [MAIN, "ps", "--control", socket], {
    env: { ...process.env, NODE_DEBUG: "esm", NO_COLOR: "1" },
  });
  assert.match(stdout, /^ID +STATE/);
  const loaded = [...new Set([...stderr.matchAll(/node_modules\/((?:@[\w-]+\/)?[\w.-]+)/g)].map(([, name]) => name))];
  assert.equal(loaded, ["commander"]);
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

test.run();
