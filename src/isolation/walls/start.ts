/** Starts what stands behind a wall: with the descriptors and the environment the wall names, and nothing else of the platform's. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readdirSync, readFileSync } from "node:fs";
import type { WallCommand } from "./wall.js";

/** fcntl.h: closed when another program is run. */
const O_CLOEXEC = 0o2000000;
/** Far above what is ever open: a table of descriptors is built up to the highest one to be covered. */
const HIGHEST = 65_536;

type Stdio = "ignore" | "pipe" | number;

/**
 * `stdout`: descriptor 1. Descriptor 3 is a socket pair where `link`; 4 a pipe where the wall tells its process by one. It has a
 * session of its own: what a terminal sends to the platform is not for it, and would end bubblewrap half-way through its start.
 * Throws where nothing can be started.
 */
export function startBehind(
  wall: WallCommand,
  options: { readonly stdout: "ignore" | "pipe"; readonly link: boolean },
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
      // Without descriptors to spare Node starts nothing, gives no streams, and tells it a second time, by an event.
      child.on("error", () => {});
      throw new Error("no process can be started: too many open files");
    }
    return child;
  } finally {
    for (const file of opened) closeSync(file);
  }
}

/** What the wall's own command needs of the environment; nothing of it reaches the inside of bubblewrap. */
function wallEnvironment(): { readonly PATH: string } {
  return { PATH: process.env.PATH ?? "/usr/bin:/bin" };
}

/**
 * Descriptors the platform was itself started with, a supervisor's or a shell's: Node opens all of its own so that no child
 * has them, but cannot know of those, and a child would get them. They are covered by /dev/null.
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
    // The folder's own descriptor, closed by now.
    return true;
  }
}
