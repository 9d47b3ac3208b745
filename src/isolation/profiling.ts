/**
 * Takes a profile of a worker thread from outside it: V8 interrupts the thread, and the text goes to the thread that asked. It needs
 * `worker.startCpuProfile` (Node 24.8) or `worker.startHeapProfile` (24.9); an inspector cannot replace them, since Node gives none to a
 * worker with permission flags.
 */
import { Worker } from "node:worker_threads";
import { DriverError } from "../driverapi/errors.js";
import { PROFILES } from "./limits.js";

export const PROFILE_KINDS = ["cpu", "heap"] as const;
export type ProfileKind = (typeof PROFILE_KINDS)[number];

interface Running {
  /** Resolves with the profile as JSON. */
  stop(): Promise<string>;
}

/** The methods that older versions of Node lack. */
interface Profiled {
  startCpuProfile?(): Promise<Running>;
  startHeapProfile?(): Promise<Running>;
}

const METHODS = { cpu: "startCpuProfile", heap: "startHeapProfile" } as const;

/** Checks that this Node can profile workers. Throws `ERR_PROFILE_UNAVAILABLE`. */
export function assertProfiling(kind: ProfileKind): void {
  if (typeof (Worker.prototype as Profiled)[METHODS[kind]] === "function") return;
  throw new DriverError(
    "ERR_PROFILE_UNAVAILABLE",
    `Node ${process.versions.node} cannot profile a worker behind its permission flags; run the host with Node 24.9 or later, or profile the plugin's files with: bulkhead dev PATH --inspect`,
  );
}

/** Profiles a thread for `ms` milliseconds. Resolves with V8's text, unread. Rejects with an error that gives the reason. */
export async function profileThread(thread: Worker, kind: ProfileKind, ms: number): Promise<string> {
  assertProfiling(kind);
  const running = await begin(thread, kind);
  await pause(thread, ms);
  const text = await running.stop();
  if (text.length > PROFILES.chars)
    throw new Error(`the profile has ${text.length} characters, more than ${PROFILES.chars}; take a shorter one`);
  return text;
}

async function begin(thread: Worker & Profiled, kind: ProfileKind): Promise<Running> {
  const running = kind === "cpu" ? thread.startCpuProfile?.() : thread.startHeapProfile?.();
  if (running === undefined) throw new Error("the worker cannot be profiled");
  return running;
}

/** Resolves after `ms`, or when the thread has ended. */
function pause(thread: Worker, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      thread.off("exit", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    thread.once("exit", done);
  });
}
