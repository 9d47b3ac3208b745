/**
 * Takes a profile of a worker thread from outside it: V8 interrupts the thread, and the text goes to the thread that asked. It needs
 * `worker.startCpuProfile` (Node 24.8) or `worker.startHeapProfile` (24.9); an inspector cannot replace them, since Node gives none to a
 * worker with permission flags.
 */
import { Worker } from "node:worker_threads";
import { within } from "../common/within.js";
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

interface ProfileBounds {
  /** Ends the profile when it is aborted. */
  readonly gone?: AbortSignal | undefined;
  /** Deadlines for the thread to begin, and to hand over what was measured, in milliseconds. */
  readonly lateMs?: number;
}

/**
 * Profiles a thread for `ms` milliseconds. Resolves with V8's text, unread. Rejects with an error that gives the reason: also where the
 * thread is inside a native call, which V8 cannot interrupt, and once `gone` is aborted.
 */
export async function profileThread(
  thread: Worker,
  kind: ProfileKind,
  ms: number,
  { gone, lateMs = PROFILES.lateMs }: ProfileBounds = {},
): Promise<string> {
  assertProfiling(kind);
  const beginning = begin(thread, kind);
  const running = await within(lateMs, beginning);
  if (running === undefined) {
    void beginning.then((late) => late.stop()).catch(() => {});
    throw new Error(`its worker did not begin one within ${lateMs} ms; a call of native code may block it`);
  }
  await pause(thread, ms, gone);
  const text = await within(lateMs, running.stop());
  if (gone?.aborted) throw new Error("the client that asked for it has gone");
  if (text === undefined)
    throw new Error(`its worker did not end it within ${lateMs} ms; a call of native code may block it`);
  if (text.length > PROFILES.chars)
    throw new Error(`the profile has ${text.length} characters, more than ${PROFILES.chars}; take a shorter one`);
  return text;
}

async function begin(thread: Worker & Profiled, kind: ProfileKind): Promise<Running> {
  const running = kind === "cpu" ? thread.startCpuProfile?.() : thread.startHeapProfile?.();
  if (running === undefined) throw new Error("the worker cannot be profiled");
  return running;
}

/** Resolves after `ms`, when the thread has ended, or when `gone` is aborted. */
function pause(thread: Worker, ms: number, gone: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      thread.off("exit", done);
      gone?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, gone?.aborted ? 0 : ms);
    thread.once("exit", done);
    gone?.addEventListener("abort", done, { once: true });
  });
}
