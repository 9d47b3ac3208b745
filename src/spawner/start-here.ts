/** Starts a process from this one, with only the descriptors and the environment that are named. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readdirSync, readFileSync } from "node:fs";
import type { ChildSpec } from "./spec.js";

/** fcntl.h: close on exec. */
const O_CLOEXEC = 0o2000000;
/** Higher descriptors are not covered: `spawn` builds its table up to the highest one, which must stay small. */
const HIGHEST = 65_536;

/** Starts the process in a session of its own. Throws when no process can be started. */
export function startHere({ command, args, cwd, env, account, streams }: ChildSpec): ChildProcess {
  const opened: number[] = [];
  const open = (path: string): number => {
    const file = openSync(path, "r");
    opened.push(file);
    return file;
  };
  try {
    const stdio: ("ignore" | "pipe" | number)[] = streams.map((one) =>
      typeof one === "string" ? one : open(one.file),
    );
    coverInherited(stdio, open);
    const child = spawn(command, args, { ...account, cwd, detached: true, env, stdio });
    if ((child.stdio as unknown) === undefined) {
      // Without free descriptors Node starts nothing, has no streams, and reports the error a second time, by an event.
      child.on("error", () => {});
      throw new Error("no process can be started: too many open files");
    }
    return child;
  } finally {
    for (const file of opened) closeSync(file);
  }
}

/**
 * Replaces by /dev/null, in the child, the descriptors that this process inherited from a supervisor or a shell. Node opens its
 * own descriptors close-on-exec; inherited ones are not.
 */
export function coverInherited<T>(stdio: (T | "ignore" | number)[], open: (path: string) => number): void {
  const strangers = inherited().filter((one) => stdio[one] === undefined);
  if (strangers.length === 0) return;
  const nothing = open("/dev/null");
  for (let one = stdio.length; one <= Math.max(...strangers); one++) stdio[one] = "ignore";
  for (const one of strangers) stdio[one] = nothing;
}

function inherited(): readonly number[] {
  if (process.platform !== "linux") return [];
  return readdirSync("/proc/self/fd")
    .map(Number)
    .filter((one) => one < HIGHEST && !closedOnExec(one));
}

function closedOnExec(descriptor: number): boolean {
  try {
    const flags = /^flags:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, "latin1"))?.[1] ?? "0";
    return (Number.parseInt(flags, 8) & O_CLOEXEC) !== 0;
  } catch {
    // The listing's own descriptor, closed by now.
    return true;
  }
}
