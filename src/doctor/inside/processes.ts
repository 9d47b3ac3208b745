/** Probes of processes: starting, seeing and signalling them, and debugging. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { closeSync, openSync, readdirSync, readFileSync } from "node:fs";
import * as inspector from "node:inspector";
import { observe, type Probe, probe, type Targets } from "../probe.js";

/** Processes that the fork bomb starts at most. */
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

/** Starts many processes at once, and kills each as soon as it runs. */
export async function bomb(): Promise<readonly Probe[]> {
  const outcomes = await Promise.all(
    Array.from({ length: BOMB }, (_, index) => burst(index % 2 === 0 ? process.execPath : "/bin/sh")),
  );
  const ran = outcomes.filter((one) => one === undefined).length;
  const why = outcomes.find((one) => one !== undefined) ?? "";
  return [observe(`start ${BOMB} processes at once`, ran > 0, ran > 0 ? `${ran} ran` : `none ran: ${why}`)];
}

/** Starts one process; resolves with why it did not run, or undefined if it did. */
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
    // In another PID namespace, its own PID may equal the platform's.
    ...(pid === process.pid
      ? []
      : [probe("read the platform's arguments", () => readFileSync(`/proc/${pid}/cmdline`))]),
  ];
}

/** Sends signal 0, which the kernel checks like any other and which does nothing. */
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

/** Tries to reach the terminal: a process in its session can write to it, and on some kernels type into it. */
export function terminal(): readonly Probe[] {
  const text = readFileSync("/proc/self/stat", "latin1");
  const session = text.slice(text.lastIndexOf(")") + 2).split(" ")[3] ?? "";
  return [
    observe("stay in the platform's session", session !== String(process.pid), `session ${session}`),
    probe("open the terminal", () => closeSync(openSync("/dev/tty", "r+"))),
  ];
}

/** Opens a debugger on a socket, as Node does on SIGUSR1. */
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
