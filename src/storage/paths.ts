/** The files of a data folder. */
import { join } from "node:path";

export interface StatePaths {
  readonly folder: string;
  /** What lmdb kept, in the folder of an earlier version. */
  readonly state: string;
  /** A copy of it that is being made. */
  readonly fresh: string;
  readonly redo: readonly [string, string];
  /** An earlier version's files, kept aside until the log's first checkpoint. */
  readonly aside: string;
  readonly lastFlush: string;
  /** Locked by the host that uses the folder; holds its PID. */
  readonly lock: string;
}

export function statePaths(folder: string): StatePaths {
  return {
    folder,
    state: join(folder, "state.mdb"),
    fresh: join(folder, "state.mdb.new"),
    redo: [join(folder, "redo-1"), join(folder, "redo-2")],
    aside: join(folder, "before-log"),
    lastFlush: join(folder, "flushed"),
    lock: join(folder, "host.lock"),
  };
}
