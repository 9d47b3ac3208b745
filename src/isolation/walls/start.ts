/** Starts a process behind a wall, with only the descriptors and the environment that the wall names. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readdirSync, readFileSync } from "node:fs";
import { FIRST_SLOT } from "../worker-streams.js";
import type { WallCommand } from "./wall.js";

/** fcntl.h: close on exec. */
const O_CLOEXEC = 0o2000000;
/** Higher descriptors are not covered: `spawn` builds its table up to the highest one, which must stay small. */
const HIGHEST = 65_536;

type Stdio = "ignore" | "pipe" | number;

/**
 * Starts the process in a session of its own: a signal from the platform's terminal would end bubblewrap half-way through its
 * start. `stdout`: descriptor 1. Descriptor 3 is a socket pair if `link`; 4 is a pipe if the wall reports its PID through one;
 * `slots` socket pairs for workers follow from `FIRST_SLOT` on. Throws when no process can be started.
 */
export function startBehind(
  wall: WallCommand,
  options: { readonly stdout: "ignore" | "pipe"; readonly link: boolean; readonly slots?: number },
): ChildProcess {
  const opened: number[] = [];
  const open = (path: string): number => {
    const file = openSync(path, "r");
    opened.push(file);
    return file;
  };
  try {
    const stdio: Stdio[] = ["ignore", options.stdout, "pipe"];
    if (options.link) stdio[3] = "pipe";
    if (wall.tellsPid) stdio[4] = "pipe";
    if (wall.filter !== undefined) stdio[5] = open(wall.filter);
    for (let slot = 0; slot < (options.slots ?? 0); slot++) stdio[FIRST_SLOT + slot] = "pipe";
    const strangers = inherited().filter((one) => stdio[one] === undefined);
    if (strangers.length > 0) {
      const nothing = open("/dev/null");
      for (const one of strangers) stdio[one] = nothing;
    }
    const child = spawn(wall.command, wall.args, {
      ...wall.account,
      cwd: wall.cwd ?? "/",
      detached: true,
      env: wallEnvironment(),
      stdio: Array.from(stdio, (one) => one ?? "ignore"),
    });
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
 * Returns the environment of the wall's own command. None of it reaches the inside of bubblewrap, where there are no files of the
 * machine's time zone either; under the weaker walls plugins see UTC because of `TZ`.
 */
function wallEnvironment(): { readonly PATH: string; readonly TZ: string } {
  return { PATH: process.env.PATH ?? "/usr/bin:/bin", TZ: "UTC" };
}

/**
 * Lists descriptors that the platform itself inherited, from a supervisor or a shell; they are covered by /dev/null. Node
 * opens its own descriptors close-on-exec, but these are not.
 */
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
