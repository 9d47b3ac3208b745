/**
 * The platform's spawner: shared by the hosts of one platform, kept running while one of them uses it, and replaced when it ends.
 * While there is none, the platform starts processes itself: slower, behind the same walls.
 */
import { isMainThread } from "node:worker_threads";
import { messageOf } from "../common/text.js";
import type { Child, ChildEvents } from "./child.js";
import { SPAWNER } from "./limits.js";
import { LocalChild } from "./local-child.js";
import { SpawnerProcess } from "./spawner-process.js";
import type { ChildSpec } from "./spec.js";

export interface SpawnerLease {
  /** Resolves when the spawner is up, or cannot be. */
  readonly settled: Promise<void>;
  /** Stops using it. The last user ends it, and waits for its end. Idempotent. */
  release(): Promise<void>;
}

type Lost = (detail: string) => void;

const users = new Set<Lost>();
let current: SpawnerProcess | undefined;
let again: NodeJS.Timeout | undefined;
/** How many in a row never came up. */
let failures = 0;

/**
 * Starts the spawner, if it does not run. `lost`: called when it ended by itself or cannot be started, with a sentence for the log.
 * In a worker thread nothing is started.
 */
export function acquireSpawner(lost: Lost): SpawnerLease {
  if (!isMainThread) return { settled: Promise.resolve(), release: () => Promise.resolve() };
  // A user of its own, however often the same function is passed.
  const user: Lost = (detail) => lost(detail);
  users.add(user);
  if (current === undefined && again === undefined) begin();
  return {
    settled: current?.settled ?? Promise.resolve(),
    async release() {
      if (!users.delete(user) || users.size > 0) return;
      clearTimeout(again);
      again = undefined;
      const last = current;
      current = undefined;
      await last?.end();
    },
  };
}

/** Starts a process, through the spawner if it is up. Throws, or calls `failed`, when no process can be started. */
export function startChild(spec: ChildSpec, events: ChildEvents): Child {
  return current?.ready ? current.start(spec, events) : new LocalChild(spec, events);
}

function begin(): void {
  again = undefined;
  try {
    const spawner = new SpawnerProcess((how, wasUp) => {
      if (current !== spawner) return;
      current = undefined;
      if (wasUp) failures = 0;
      report(
        wasUp
          ? `the spawner has ended (${how}): the host processes and bundlers that it started end with it`
          : `the spawner did not come up (${how})`,
        wasUp,
      );
    });
    current = spawner;
  } catch (error) {
    report(messageOf(error), false);
  }
}

/** Tries again later, and reports the end to the users; of several failed starts in a row, only the first. */
function report(what: string, wasUp: boolean): void {
  again = setTimeout(begin, Math.min(SPAWNER.againMs * 2 ** failures, SPAWNER.againMostMs)).unref();
  if (!wasUp && failures++ > 0) return;
  const detail = `${what}; until another one is up, the platform starts processes itself, and pauses for milliseconds at each start`;
  for (const lost of users) lost(detail);
}
