/** The demonstration: run as root it pings for real, as anybody else on the model; whatever happens, it leaves nothing behind. */

import { type ChildProcess, spawn } from "node:child_process";
import { chmod, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { DEMO_MOMENTS as MOMENTS } from "./amounts.js";
import { copyPackage } from "./copy-package.js";
import { STEPS } from "./demo-steps.js";
import { assert, suite, type TestContext, until } from "./harness.js";
import { noBubblewrap } from "./isolation/walled.js";
import { REPO } from "./kit/host.js";
import { noKernel } from "./permissions/netlink/backends.js";

const test = suite("the demonstration");

interface Report {
  readonly ok: boolean;
  readonly backend: string;
  readonly isolation: string;
  readonly steps: readonly {
    readonly name: string;
    readonly ok: boolean;
    readonly ms: number;
    readonly detail?: string;
  }[];
  readonly leftovers: readonly string[];
}

interface Run {
  readonly process: ChildProcess;
  readonly pid: number;
  /** Where it may write. */
  readonly folder: string;
  readonly ended: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  readonly printed: () => string;
}

/** Starts it as a terminal does: a process group of its own. */
async function start(t: TestContext, command: readonly string[], cwd: string): Promise<Run> {
  const folder = await t.folder();
  await chmod(folder, 0o777);
  const [program = "", ...args] = command;
  const env = { ...process.env, TMPDIR: folder, HOME: folder };
  const child = spawn(program, args, { cwd, env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      printed += text;
    });
  }
  const ended = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.once("close", (code, signal) => resolve({ code, signal }));
  });
  const pid = child.pid ?? 0;
  t.cleanup(() => {
    if (child.exitCode === null && child.signalCode === null) process.kill(-pid, "SIGKILL");
  });
  return { process: child, pid, folder, ended, printed: () => printed };
}

/** A process, told from a later one with its number. */
type Identity = readonly [pid: number, started: string];

async function stat(pid: number): Promise<{ ppid: number; group: number; id: Identity } | undefined> {
  try {
    const text = await readFile(`/proc/${pid}/stat`, "utf8");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    if (fields[0] === "Z") return undefined;
    return { ppid: Number(fields[1]), group: Number(fields[2]), id: [pid, fields[19] ?? ""] };
  } catch {
    return undefined;
  }
}

/** The processes below one, and those of its group. */
async function family(root: number): Promise<readonly Identity[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const all = (await Promise.all(pids.map(stat))).flatMap((one) => one ?? []);
  const below = new Set([root]);
  for (let size = 0; size < below.size; ) {
    size = below.size;
    for (const { ppid, group, id } of all) if (below.has(ppid) || group === root) below.add(id[0]);
  }
  return all.filter(({ id }) => below.has(id[0])).map(({ id }) => id);
}

/** Nothing of a run that has ended is there any more. */
async function leavesNothing({ pid, folder }: Run, processes: readonly Identity[]): Promise<void> {
  const namespaces = await readdir("/run/netns").catch(() => []);
  assert.equal(
    namespaces.filter((name) => name.startsWith(`bhdemo-${pid}-`)),
    [],
    "namespaces",
  );
  assert.equal(await readdir(folder), [], "temporary files");
  const links = await readdir("/sys/class/net").catch(() => []);
  assert.equal(
    links.filter((name) => name.startsWith("bh-")),
    [],
    "links of the machine",
  );
  // What a process's end takes along is gone a moment later.
  await until(async () => {
    const now = await Promise.all(processes.map(async ([one, started]) => (await stat(one))?.id[1] === started));
    return !now.includes(true) && (await family(pid)).length === 0;
  }, "the end of all processes");
}

const DEMO = ["examples/demo/demo.mjs", "--json"];

/** `wall`: the one that it must say it stands behind. */
async function passes(run: Run, wall = noBubblewrap === undefined ? "bubblewrap" : "node"): Promise<Report> {
  const { code } = await run.ended;
  assert.is(code, 0, run.printed());
  const report = JSON.parse(run.printed()) as Report;
  assert.equal([report.ok, report.isolation, report.leftovers], [true, "process", []]);
  assert.equal(
    report.steps.map(({ name }) => name),
    STEPS,
  );
  assert.ok(report.steps.every(({ ok }) => ok));
  const load = report.steps.find(({ name }) => name === "load")?.detail ?? "";
  assert.match(load, wall === "bubblewrap" ? /; behind bubblewrap$/ : /; behind Node's permission flags alone, as /);
  await leavesNothing(run, []);
  return report;
}

/** How long a whole run takes, in milliseconds; 0 before the first. */
let whole = 0;

test(
  "kernel: packets arrive, connections outlive the driver's process",
  async (t) => {
    const began = performance.now();
    const report = await passes(await start(t, [process.execPath, ...DEMO], REPO));
    whole = performance.now() - began;
    assert.is(report.backend, "kernel");
    const said = new Map(report.steps.map(({ name, detail = "" }) => [name, detail]));
    for (const [step, pattern] of [
      ["ping4", /^10\.64\.0\.2 to 10\.64\.0\.3: 3 of 3 answered, [\d.]+ ms$/],
      ["ping6", /^fd64::2 to fd64::3: 3 of 3 answered, [\d.]+ ms$/],
      ["tcp4", /^10\.64\.0\.2 to 10\.64\.0\.3: \d{3} lines there and back over one connection$/],
      ["tcp6", /^fd64::2 to fd64::3: \d{3} lines there and back over one connection$/],
      ["survive", /killed.*both TCP connections went on: \d+ \+ \d+ lines, the longest gap \d+ ms$/],
    ] as const) {
      assert.match(said.get(step) ?? "", pattern);
    }
  },
  { ms: 120_000, needs: noKernel },
);

test(
  "model: an ordinary user sees the same steps, and is told that nothing was sent",
  async (t) => {
    const folder = await copyPackage();
    const root = process.getuid?.() === 0;
    const become = root ? ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"] : [];
    const run = await start(t, [...become, process.execPath, ...DEMO], folder);
    const shown = await start(t, [...become, process.execPath, "examples/demo/demo.mjs"], folder);
    const report = await passes(run);
    assert.is(report.backend, "model");
    for (const { name, detail } of report.steps) {
      if (/ping|tcp|survive/.test(name)) assert.match(detail ?? "", /computed in the model, nothing was sent/);
    }
    assert.is((await shown.ended).code, 0);
    assert.match(shown.printed(), /the kernel's network cannot be had: .+; the model shows the same steps/);
  },
  { ms: 120_000 },
);

test(
  "without bubblewrap: it runs all the same, and says which wall stands instead",
  async (t) => {
    const folder = await copyPackage();
    const root = process.getuid?.() === 0;
    const become = root ? ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"] : [];
    const report = await passes(
      await start(t, [...become, "env", "PATH=/", process.execPath, ...DEMO], folder),
      "node",
    );
    assert.is(report.backend, "model");
  },
  { ms: 120_000 },
);

/** Interrupts a run at that moment, in milliseconds: nothing of it is left. */
async function interrupted(t: TestContext, moment: number): Promise<void> {
  const run = await start(t, [process.execPath, ...DEMO], REPO);
  await Promise.race([sleep(moment), run.ended]);
  const processes = await family(run.pid);
  if (run.process.exitCode === null) process.kill(-run.pid, "SIGINT");
  const { code, signal } = await run.ended;
  try {
    // Before it has begun, the signal itself ends it; at its very end it may have come through.
    assert.ok(code === 130 || signal === "SIGINT" || code === 0, `exit ${code} ${signal}: ${run.printed()}`);
    await leavesNothing(run, processes);
  } catch (error) {
    throw new Error(`interrupted after ${Math.round(moment)} of ${Math.round(whole)} ms: ${(error as Error).message}`);
  }
}

test(
  `Ctrl-C at ${MOMENTS} moments: nothing is left`,
  async (t) => {
    if (whole === 0) {
      const began = performance.now();
      await (await start(t, [process.execPath, ...DEMO], REPO)).ended;
      whole = performance.now() - began;
    }
    for (let part = 0; part < MOMENTS; part += 2)
      await Promise.all([part, part + 1].map((one) => interrupted(t, ((one + Math.random()) / MOMENTS) * whole)));
  },
  { ms: 300_000 },
);

test(
  "kernel: killed outright, twice interrupted: the next start clears up, and the second Ctrl-C changes nothing",
  async (t) => {
    const killed = await start(t, [process.execPath, ...DEMO], REPO);
    const left = async (): Promise<readonly string[]> =>
      (await readdir("/run/netns").catch(() => [])).filter((name) => name.startsWith(`bhdemo-${killed.pid}-`));
    await until(async () => (await left()).length === 3, "its namespaces", 10_000);
    process.kill(killed.pid, "SIGKILL");
    await killed.ended;
    const run = await start(t, [process.execPath, ...DEMO], REPO);
    await until(async () => (await left()).length === 0, "the next start", 10_000);
    await until(() => readdir(join(run.folder)).then((all) => all.length > 0), "its folder", 10_000);
    process.kill(-run.pid, "SIGINT");
    process.kill(-run.pid, "SIGINT");
    assert.is((await run.ended).code, 130);
    await leavesNothing(run, []);
  },
  { ms: 120_000, needs: noKernel },
);

test.run();
