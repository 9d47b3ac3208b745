/** Processes: starting some, seeing and signalling others, a way in for a debugger. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { closeSync, openSync, readdirSync, readFileSync } from "node:fs";
import * as inspector from "node:inspector";
import { observe, type Probe, probe, type Targets } from "../probe.js";

/** Where the bomb ends when nobody else ends it. */
const BOMB = 16;

export function start(): readonly Probe[] {
  return [
    probe("start /bin/sh", () => started("/bin/sh", ["-c", ":"])),
    probe("start Node", () => started(process.execPath, ["--version"])),
    probe("start Node over /proc", () => started("/proc/self/exe", ["--version"])),
  ];
}

function started(file: string, args: readonly string[]): string {
  const { error, status, signal } = spawnSync(file, args, { stdio: "ignore", timeout: 5_000 });
  if (error) throw error;
  return `it ran (${signal ?? status})`;
}

/** As many processes at once as it can, ended at once: a bomb with a short fuse. */
export async function bomb(): Promise<readonly Probe[]> {
  const outcomes = await Promise.all(
    Array.from({ length: BOMB }, (_, index) => burst(index % 2 === 0 ? process.execPath : "/bin/sh")),
  );
  const ran = outcomes.filter((one) => one === undefined).length;
  const why = outcomes.find((one) => one !== undefined) ?? "";
  return [observe(`start ${BOMB} processes at once`, ran > 0, ran > 0 ? `${ran} ran` : `none ran: ${why}`)];
}

/** Undefined: it ran. */
function burst(file: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    let child: ChildProcess;
    try {
      child = spawn(file, ["-"], { stdio: ["pipe", "ignore", "ignore"] });
    } catch (error) {
      resolve((error as { code?: string }).code ?? "refused");
      return;
    }
    child.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    child.once("spawn", () => child.kill("SIGKILL"));
    child.once("exit", () => resolve(undefined));
  });
}

export function visible({ pid }: Targets): readonly Probe[] {
  const others = readdirSync("/proc").filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  return [
    observe("see another process", others.length > 0, others.length > 0 ? `${others.length} others` : "itself alone"),
    // Its own number may be the platform's, elsewhere.
    ...(pid === process.pid
      ? []
      : [probe("read the platform's arguments", () => readFileSync(`/proc/${pid}/cmdline`))]),
  ];
}

/** Signal 0 is judged by the kernel as any other, and does nothing. */
export function signals({ pid }: Targets): readonly Probe[] {
  const { ppid } = process;
  return [
    ...(pid === process.pid ? [] : [probe("signal the platform", () => process.kill(pid, 0))]),
    ...(ppid === 0
      ? [observe("signal its parent", false, "it has none")]
      : [probe("signal its parent", () => process.kill(ppid, 0))]),
    probe("signal every process", () => process.kill(-1, 0)),
  ];
}

/** Whoever is in the session of a terminal can write to it, and type into it where the kernel still allows that. */
export function terminal(): readonly Probe[] {
  const text = readFileSync("/proc/self/stat", "latin1");
  const session = text.slice(text.lastIndexOf(")") + 2).split(" ")[3] ?? "";
  return [
    observe("stay in the platform's session", session !== String(process.pid), `session ${session}`),
    probe("open the terminal", () => closeSync(openSync("/dev/tty", "r+"))),
  ];
}

/** Node answers SIGUSR1, and whoever calls this, with a debugger on a socket. */
export function debuggers(): readonly Probe[] {
  return [
    probe("open a debugger", () => {
      inspector.open(0, "127.0.0.1");
      const url = inspector.url();
      if (url === undefined) throw new Error("no debugger listens");
      inspector.close();
      return "a debugger listened";
    }),
  ];
}
