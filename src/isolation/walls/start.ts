/** Describes how to start a process behind a wall: its descriptors and its environment. */
import type { ChildProcess } from "node:child_process";
import type { ChildSpec, StreamSpec } from "../../spawner/spec.js";
import { startHere } from "../../spawner/start-here.js";
import { FIRST_SLOT } from "../worker-streams.js";
import type { WallCommand } from "./wall.js";

export interface BehindOptions {
  /** Descriptor 1. */
  readonly stdout: "ignore" | "pipe";
  /** True: descriptor 3 is a socket pair. */
  readonly link: boolean;
  /** Socket pairs for workers, from `FIRST_SLOT` on. Default: none. */
  readonly slots?: number;
}

/** Describes the process. Descriptor 4 is a pipe if the wall reports its PID through one. */
export function behind(wall: WallCommand, { stdout, link, slots = 0 }: BehindOptions): ChildSpec {
  const streams: StreamSpec[] = ["ignore", stdout, "pipe"];
  if (link) streams[3] = "pipe";
  if (wall.tellsPid) streams[4] = "pipe";
  if (wall.filter !== undefined) streams[5] = { file: wall.filter };
  for (let slot = 0; slot < slots; slot++) streams[FIRST_SLOT + slot] = "pipe";
  return {
    command: wall.command,
    args: wall.args,
    cwd: wall.cwd ?? "/",
    env: wallEnvironment(),
    account: wall.account,
    streams: Array.from(streams, (one) => one ?? "ignore"),
  };
}

/**
 * Starts the process from the platform itself, in a session of its own: a signal from the platform's terminal would end
 * bubblewrap half-way through its start. Throws when no process can be started.
 */
export function startBehind(wall: WallCommand, options: BehindOptions): ChildProcess {
  return startHere(behind(wall, options));
}

/**
 * Returns the environment of the wall's own command. None of it reaches the inside of bubblewrap, where there are no files of the
 * machine's time zone either; under the weaker walls plugins see UTC because of `TZ`.
 */
function wallEnvironment(): { readonly PATH: string; readonly TZ: string } {
  return { PATH: process.env.PATH ?? "/usr/bin:/bin", TZ: "UTC" };
}
