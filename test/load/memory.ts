/** Memory of idle plugins, taken in a process of its own that has held nothing else. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Isolation } from "./costs.js";

const CHILD = fileURLToPath(new URL("./memory-child.js", import.meta.url));

/** Mebibytes of each of `count`; `settleMs`: how long they are idle before it is looked at. */
export async function memoryOf(kind: Isolation | "bare", count: number, settleMs: number): Promise<number> {
  const child = fork(CHILD, [kind, String(count), String(settleMs)], { execArgv: ["--expose-gc"] });
  const told = once(child, "message") as Promise<[number]>;
  const ended = once(child, "exit");
  const first = await Promise.race([told, ended.then(([code]) => Promise.reject(new Error(`it ended with ${code}`)))]);
  await ended;
  return first[0] / count;
}
