/** What the realm of a worker can reach, by Node's permission flags and the launcher's options; the attacker owns it here. */
import { ThreadLauncher } from "#dist/isolation/thread-launcher.js";
import { assert, suite, type TestContext } from "../harness.js";
import { bootstrapFile } from "./bootstrap-file.js";

const test = suite("isolation: a worker's authority");

/** Runs `body` (an async function's) in a worker and resolves with what it returns, or `{ code }` of what it throws. */
async function inWorker(t: TestContext, body: string): Promise<unknown> {
  const bootstrap = await bootstrapFile(
    t,
    `const answer = (value) => setTimeout(() => port.postMessage(JSON.stringify(value === undefined ? null : value)), 50);
    (async () => { ${body} })().then(answer, (error) => answer({ code: error.code ?? String(error) }));`,
  );
  const launcher = new ThreadLauncher({ spares: 0, bootstrap });
  t.cleanup(() => launcher.close());
  const link = await launcher.launch({ plugin: "p", memoryMb: 32 });
  return new Promise((resolve, reject) => {
    link.onFrame = (text) => resolve(JSON.parse(text as string));
    link.onEnd = (end) => reject(new Error(end.detail));
  });
}

const denied = { code: "ERR_ACCESS_DENIED" };

for (const [what, body] of [
  ["read a file", `require("node:fs").readFileSync("/etc/hostname");`],
  ["read a file by promise", `await require("node:fs/promises").readFile("/etc/hostname");`],
  ["list a folder", `require("node:fs").readdirSync("/");`],
  ["write a file", `require("node:fs").writeFileSync("/tmp/bulkhead-must-not-exist", "x");`],
  ["write beside its own bootstrap", `require("node:fs").writeFileSync(__dirname + "/x", "x");`],
  ["start a process", `require("node:child_process").spawnSync("true");`],
  ["fork itself", `require("node:child_process").fork(__filename);`],
  ["start a worker of its own", `new (require("node:worker_threads").Worker)("0", { eval: true });`],
] as const) {
  test(`it cannot ${what}`, async (t) => {
    assert.equal(await inWorker(t, body), denied);
  });
}

test("it has no environment, no arguments, and no input", async (t) => {
  process.env.PLATFORMS_SECRET = "x";
  t.cleanup(() => delete process.env.PLATFORMS_SECRET);
  const found = await inWorker(
    t,
    `return { env: Object.keys(process.env), argv: process.argv.slice(2), data: require("node:worker_threads").workerData ?? null };`,
  );
  assert.equal((found as { env: string[] }).env, []);
  assert.equal((found as { argv: string[] }).argv, []);
});

test("what it changes in its environment stays there", async (t) => {
  await inWorker(t, `process.env.SET_IN_WORKER = "x";`);
  assert.is(process.env.SET_IN_WORKER, undefined);
});

test("it cannot end the process: exit ends its thread alone", async (t) => {
  const error = await inWorker(t, "process.exit(7);").catch((reason: Error) => reason);
  assert.instance(error, Error);
  assert.is(process.exitCode, undefined);
});

test("it cannot change the process' folder, mask or ids", async (t) => {
  for (const call of [`chdir("/")`, "umask(0)", "setuid(1)", "setgid(1)", "abort()"]) {
    assert.equal(
      await inWorker(t, `process.${call};`).catch(() => "ended"),
      { code: "ERR_WORKER_UNSUPPORTED_OPERATION" },
      call,
    );
  }
});

test.run();
