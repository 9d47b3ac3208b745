/** Many idle plugins, or bare workers, in a process of its own that has held nothing else: their memory, and what their load took. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Isolation } from "./costs.js";

const CHILD = fileURLToPath(new URL("./memory-child.js", import.meta.url));

/** Of each of them. */
export interface Held {
  /** Resident mebibytes. */
  readonly mb: number;
  /** Milliseconds from the first's start to the last one in service, divided by their number. */
  readonly ms: number;
}

/** `settleMs`: how long they are idle before it is looked at. */
export async function hold(kind: Isolation | "bare", count: number, settleMs: number): Promise<Held> {
  const child = fork(CHILD, [kind, String(count), String(settleMs)], { execArgv: ["--expose-gc"] });
  const told = once(child, "message") as Promise<[Held]>;
  const ended = once(child, "exit");
  const first = await Promise.race([told, ended.then(([code]) => Promise.reject(new Error(`it ended with ${code}`)))]);
  await ended;
  return { mb: first[0].mb / count, ms: first[0].ms / count };
}
