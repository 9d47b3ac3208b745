/** `bulkhead doctor`: what it prints and how it ends, as root and as an ordinary user; nothing of it is left. */
import { spawn } from "node:child_process";
import { chmodSync, readdirSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CHECKS } from "#dist/doctor/checks.js";
import { copyPackage } from "../copy-package.js";
import { type Json, run } from "../doctor/doctor.js";
import { replaced, taking } from "../doctor/taken-away.js";
import { assert, suite, type TestContext } from "../harness.js";
import { noBubblewrap } from "../isolation/walled.js";
import { cli } from "./cli.js";

const test = suite("bulkhead doctor");
const MS = 60_000;

/** A policy's file with this text. */
async function policyFile(t: TestContext, policy: object): Promise<string> {
  const file = join(await t.folder(), "bulkhead.config.json");
  await writeFile(file, JSON.stringify(policy));
  return file;
}

/** A folder for temporary files that everybody may write to; afterwards nothing may be left in it. */
async function temporary(t: TestContext): Promise<string> {
  const folder = await t.folder();
  chmodSync(folder, 0o777);
  t.cleanup(() => assert.equal(readdirSync(folder), [], "temporary files are left"));
  return folder;
}

/** The command line in a process of its own, as its user types it. */
async function inProcess(
  t: TestContext,
  command: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv = {},
): Promise<{ readonly code: number | null; readonly out: string; readonly err: string }> {
  const tmp = await temporary(t);
  const [program = "", ...args] = command;
  const child = spawn(program, args, {
    cwd,
    env: { ...process.env, TMPDIR: tmp, HOME: tmp, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  t.cleanup(() => child.kill("SIGKILL"));
  const said = ["", ""];
  for (const [at, stream] of [child.stdout, child.stderr].entries())
    stream.setEncoding("utf8").on("data", (part: string) => {
      said[at] += part;
    });
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, out: said[0] ?? "", err: said[1] ?? "" };
}

function allHold({ ok, sandbox, wall, checks }: Json): void {
  const bad = checks.filter(({ holds }) => holds !== "yes").map(({ name, evidence }) => `${name}: ${evidence}`);
  // The program of system calls is there for one architecture.
  assert.equal(process.arch === "x64" ? bad : bad.filter((one) => !one.startsWith("sockets.other")), []);
  assert.equal([ok, sandbox, wall], [true, "bubblewrap", "bubblewrap"]);
  assert.equal(
    checks.map(({ name }) => name),
    CHECKS.map(({ name }) => name),
  );
  for (const one of checks) {
    assert.equal(Object.keys(one), ["name", "tries", "demanded", "holds", "evidence", "fix", "attempts"]);
    assert.equal([one.demanded, one.fix], [true, null], one.name);
    assert.ok(one.evidence.length > 0 && (one.holds === "skipped" || one.attempts.length > 0), one.name);
  }
}

const MAIN = "dist/cli/main.js";

test(
  "here, every wall holds: exit 0, a check each, and all that was tried",
  async (t) => {
    const folder = await copyPackage();
    const { code, out, err } = await inProcess(t, [process.execPath, MAIN, "doctor", "--json"], folder);
    assert.is(code, 0, `${err}${out}`);
    assert.is(err, "");
    allHold(JSON.parse(out) as Json);
  },
  { needs: noBubblewrap, ms: MS },
);

test(
  "an ordinary user's walls hold too",
  async (t) => {
    const folder = await copyPackage();
    const become = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"];
    const command = [...become, process.execPath, MAIN, "doctor", "--json"];
    const { code, out, err } = await inProcess(t, command, folder);
    assert.is(code, 0, `${err}${out}`);
    const told = JSON.parse(out) as Json;
    allHold(told);
    const account = told.checks.find(({ name }) => name === "account.user");
    assert.match(account?.evidence ?? "", /uid 65534 outside/);
  },
  { needs: noBubblewrap ?? (process.getuid?.() === 0 ? undefined : "only root can become another user"), ms: MS },
);

test(
  "for people: a table, a line each, and the verdict",
  async (t) => {
    const none = join(await t.folder(), "none.json");
    const { exit, out, err } = await run(none, false);
    assert.equal([exit, err], [0, ""]);
    const lines = out.split("\n");
    const judge = `no policy at ${none} (--policy names another), so the defaults`;
    assert.is(lines[0], `${judge}: sandbox "bubblewrap", tried behind: bubblewrap`);
    for (const { name } of CHECKS)
      assert.ok(
        lines.some((line) => line.startsWith(`${name} `)),
        name,
      );
    assert.match(out, /\nevery wall that the policy demands holds: \d+ checks/);
  },
  { needs: noBubblewrap, ms: MS },
);

test(
  "a wall that is down: exit 1, its check by name, what went through, and the fix; in JSON too",
  async (t) => {
    const policy = join(await t.folder(), "none.json");
    const seams = { raise: taking(replaced(["--clearenv"])) };
    const text = await run(policy, false, seams);
    assert.is(text.exit, 1);
    assert.match(text.out, /^environment\.empty +no +yes +find the platform's environment: PATH/m);
    assert.match(text.out, /to fix environment\.empty:\n {2}run the bwrap of your system's own package/);
    assert.is(text.err, "error ERR_ISOLATION_UNAVAILABLE: a demanded check fails: environment.empty\n");
    const json = await run(policy, true, seams);
    assert.equal([json.exit, json.err], [1, ""]);
    const told = JSON.parse(json.out) as Json;
    assert.equal([told.ok, told.error?.code], [false, "ERR_ISOLATION_UNAVAILABLE"]);
    assert.match(told.error?.message ?? "", /environment\.empty/);
    const down = told.checks.filter(({ holds }) => holds === "no");
    assert.equal(
      down.map(({ name }) => name),
      ["environment.empty"],
    );
    assert.match(down[0]?.fix ?? "", /bwrap/);
  },
  { needs: noBubblewrap, ms: MS },
);

test(
  "without bubblewrap: exit 1, and the package to install",
  async (t) => {
    const folder = await copyPackage();
    const nowhere = await t.folder();
    chmodSync(nowhere, 0o755);
    const { code, out, err } = await inProcess(t, [process.execPath, MAIN, "doctor"], folder, { PATH: nowhere });
    assert.is(code, 1, out);
    assert.match(err, /^error ERR_ISOLATION_UNAVAILABLE: \d+ demanded checks fail: wall\.raised, files\.host/);
    assert.match(out, /to fix wall\.raised, files\.host.*:\n {2}raise bubblewrap: .*apt-get install bubblewrap/);
    assert.match(out, /^no policy at .*: sandbox "bubblewrap", tried behind: node$/m);
  },
  { ms: MS },
);

for (const sandbox of ["node", "none"] as const) {
  test(
    `"sandbox": "${sandbox}": exit 0, and it says that the wall is weakened`,
    async (t) => {
      const { exit, out } = await run(await policyFile(t, { sandbox }), false);
      assert.is(exit, 0, out);
      assert.match(out, new RegExp(`^the policy /.*: sandbox "${sandbox}", tried behind: ${sandbox}\n`));
      assert.match(out, /weakened: \d+ check\(s\) that the policy does not demand fail/);
      assert.match(out, /^files\.host +no +- /m);
      assert.match(out, new RegExp(`^flags\\.host-process +${sandbox === "node" ? "yes +yes" : "no +-"} `, "m"));
      assert.match(out, /set "sandbox": "bubblewrap" in /);
    },
    { needs: process.platform === "linux" ? undefined : "what is down is told for Linux", ms: MS },
  );
}

test(
  '"sandbox": "auto": all of what stands is demanded',
  async (t) => {
    const { exit, out } = await run(await policyFile(t, { sandbox: "auto" }), true);
    const told = JSON.parse(out) as Json;
    assert.equal([exit, told.sandbox, told.wall], [0, "auto", "bubblewrap"]);
    assert.ok(told.checks.every(({ demanded }) => demanded));
  },
  { needs: noBubblewrap, ms: MS },
);

test("a policy that is broken, or named and not there: exit 1, and nothing is tried", async (t) => {
  const broken = await policyFile(t, { sandbox: "paper" });
  for (const file of [broken, join(await t.folder(), "gone.json")]) {
    const { exit, json } = await cli(["doctor", "--policy", file, "--json"]);
    assert.equal([exit, json().ok, json().error?.code, json().checks], [1, false, "ERR_POLICY_INVALID", undefined]);
  }
});

test("wrong use: exit 2", async () => {
  assert.is((await cli(["doctor", "walls"])).exit, 2);
});

test.run();
