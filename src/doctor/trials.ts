/** Runs all trials behind one wall, each in a process of its own, and collects their probes by check. */

import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { within } from "../common/within.js";
import { HostProcess } from "../isolation/host-process.js";
import { MEMORY_CLASSES, WALLS } from "../isolation/limits.js";
import { KEY_BYTES } from "../isolation/stream-seal.js";
import type { Wall } from "../isolation/walls/wall.js";
import { DOCTOR } from "./limits.js";
import { observe, type ProbeRequest, type Probes, type Progress, type Targets } from "./probe.js";
import { readSystemCalls } from "./system-calls.js";
import { CALLS_TRIAL, FLAGS_TRIAL, GROW_TRIAL, LINGER_TRIAL, WALLS_TRIAL } from "./trial-files.js";
import { TrialProcess } from "./trial-process.js";

/** Parts that tests replace, to show what each wall stops. */
export interface TrialSeams {
  readonly without: ProbeRequest["without"];
  /** Resident memory at which the growing process is killed, in mebibytes. */
  readonly residentMb: number;
}

/** Writable and watched memory of a dedicated host process with a worker of the smallest class, in mebibytes. */
export const DATA_MB: number = WALLS.dataMbDedicated + 2 * MEMORY_CLASSES[0];
export const RESIDENT_MB: number = WALLS.residentMbDedicated + 2 * MEMORY_CLASSES[0];

type Outcome = Map<string, Probes>;

/** Runs the trials. `program`: the program of system calls can be run here. */
export async function runTrials(wall: Wall, targets: Targets, program: boolean, seam: TrialSeams): Promise<Outcome> {
  const outcome: Outcome = new Map();
  const trials: readonly (() => Promise<void>)[] = [
    () => inProcess(wall, { what: "walls", targets, without: seam.without }, outcome),
    () => inProcess(wall, { what: "flags", targets, without: seam.without }, outcome),
    () => grow(wall, seam.residentMb, outcome),
    () => systemCalls(wall, program, outcome),
    () => endWithLink(wall, outcome),
    () => endWithPlatform(wall, outcome),
  ];
  // Two at a time: one works while the other waits.
  const left = [...trials];
  const lane = async (): Promise<void> => {
    for (let next = left.shift(); next; next = left.shift()) await next();
  };
  await Promise.all([lane(), lane()]);
  return outcome;
}

/** Adds probes to those of a check: two trials can belong to one check. */
function add(outcome: Outcome, check: string, tried: Probes): void {
  const before = outcome.get(check);
  outcome.set(check, typeof before === "object" && typeof tried === "object" ? [...before, ...tried] : tried);
}

async function inProcess(wall: Wall, request: ProbeRequest, outcome: Outcome): Promise<void> {
  const trial = new TrialProcess(wall.command(DATA_MB, request.what === "walls" ? WALLS_TRIAL : FLAGS_TRIAL));
  /** The check in progress; undefined before the first, empty between two. */
  let trying: string | undefined;
  try {
    trial.link.write(`${JSON.stringify(request)}\n`);
    const done = await within(
      DOCTOR.answerMs,
      (async () => {
        for await (const line of trial.lines()) {
          const progress = JSON.parse(line) as Progress;
          if (trying === undefined && request.what === "walls")
            add(outcome, "account.user", account(await trial.pid()));
          if ("begun" in progress) trying = progress.begun;
          else {
            add(outcome, progress.check, progress.tried);
            trying = "";
          }
        }
        return true;
      })(),
    );
    if (trying === "" && done === true) return;
    const how = done === undefined ? `it did not end within ${DOCTOR.answerMs} ms` : await trial.ended;
    const said = trial.lastLine();
    const check = trying || (request.what === "walls" ? "files.host" : "flags.host-process");
    outcome.set(check, [observe("try it", true, `the process ended (${how})${said === "" ? "" : `: ${said}`}`)]);
  } finally {
    await trial.stop();
  }
}

/** Checks the account of a process as seen outside its own namespaces. */
function account(pid: number | undefined): Probes {
  let uid: string | undefined;
  try {
    uid = /^Uid:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1];
  } catch {
    // It has ended, or there is no /proc.
  }
  // An unknown UID counts as a failure.
  if (uid === undefined)
    return process.platform === "linux" ? [observe("be root outside", true, "its UID is unknown")] : [];
  return [observe("be root outside", uid === "0", `uid ${uid} outside`)];
}

async function grow(wall: Wall, residentMb: number, outcome: Outcome): Promise<void> {
  const growing: Wall = { ...wall, command: (dataMb) => wall.command(dataMb, GROW_TRIAL) };
  const [warmMb] = MEMORY_CLASSES;
  const options = { isolation: "dedicated", dataMb: DATA_MB, residentMb, warmMb, ending: () => false } as const;
  const one = new HostProcess({ ...options, wall: growing });
  let why: string | undefined;
  // On a busy machine it takes longer to grow; only then is there something to end.
  for (let waits = 0; why === undefined && waits < DOCTOR.growWaits && one.residentMb <= RESIDENT_MB; waits++)
    why = await within(DOCTOR.grownMs, one.ended);
  // It may have grown just before the last wait was over.
  why ??= await within(DOCTOR.grownMs, one.ended);
  one.kill("the trial is over");
  await one.ended;
  const watched = why?.includes(`grew beyond ${residentMb} MiB`) === true;
  add(outcome, "memory.resident", [
    observe(
      `hold more than ${RESIDENT_MB} MiB`,
      !watched,
      why ?? `it was not ended while it held ${Math.round(one.residentMb)} MiB`,
    ),
  ]);
}

async function systemCalls(wall: Wall, program: boolean, outcome: Outcome): Promise<void> {
  if (!program) {
    outcome.set(
      "sockets.other",
      `system calls are tried on Linux and x86-64 only, this is ${process.platform} ${process.arch}`,
    );
    return;
  }
  const trial = new TrialProcess(wall.command(DATA_MB, CALLS_TRIAL));
  try {
    await within(DOCTOR.endMs, trial.ended);
    for (const [check, tried] of readSystemCalls(trial.printed)) add(outcome, check, tried);
  } finally {
    await trial.stop();
  }
}

/** Closes the link of a host process as it runs in production, and sends it no signal. */
async function endWithLink(wall: Wall, outcome: Outcome): Promise<void> {
  const trial = new TrialProcess(wall.command(DATA_MB));
  try {
    trial.link.write(randomBytes(KEY_BYTES));
    const ready = await within(
      WALLS.readyMs,
      new Promise<boolean>((resolve) => {
        trial.link.once("data", () => resolve(true));
        trial.link.once("close", () => resolve(false));
      }),
    );
    trial.link.destroy();
    const how = ready === true ? await within(DOCTOR.endMs, trial.ended) : undefined;
    const said =
      ready === true ? (how ?? `it still ran after ${DOCTOR.endMs} ms`) : `it did not start: ${trial.lastLine()}`;
    add(outcome, "ends.with-link", [observe("outlive its link", how === undefined, said)]);
  } finally {
    await trial.stop();
  }
}

/** Kills a shell, in the platform's place, whose child behind the wall ignores the end of its link. */
async function endWithPlatform(wall: Wall, outcome: Outcome): Promise<void> {
  const { command, args, ...rest } = wall.command(DATA_MB, LINGER_TRIAL);
  const trial = new TrialProcess({ ...rest, command: "/bin/sh", args: ["-c", '"$@" & wait', "sh", command, ...args] });
  try {
    const heard = trial.lines();
    const ready = await within(WALLS.readyMs, heard.next());
    trial.killOutermost();
    // The link closes when its last holder on the other side has ended.
    const gone = ready?.done === false && (await within(DOCTOR.endMs, heard.next()))?.done === true;
    const said = gone
      ? "ended with it"
      : ready?.done === false
        ? `it still ran after ${DOCTOR.endMs} ms`
        : `it did not start: ${trial.lastLine()}`;
    add(outcome, "ends.with-platform", [observe("outlive its platform", !gone, said)]);
    if (!gone && trial.link.writable) {
      trial.link.write("end\n");
      await within(DOCTOR.endMs, heard.next());
    }
  } finally {
    await trial.stop();
  }
}
