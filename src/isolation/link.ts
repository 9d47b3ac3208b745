/** A link: the only connection between the host and one plugin's worker, wherever that worker runs. */
import type { ProfileKind } from "./profiling.js";
import type { WallName } from "./walls/wall.js";

/** Where a plugin's worker runs, weakest isolation first. */
export const ISOLATIONS = ["thread", "process", "dedicated"] as const;
export type Isolation = (typeof ISOLATIONS)[number];

/** Why a worker has ended. */
export interface LinkEnd {
  /**
   * "killed": by the host; "exit": it ended by itself; "memory": it exceeded its memory class; "process": its host process
   * has ended.
   */
  readonly how: "killed" | "exit" | "memory" | "process";
  /** The reason in the runtime's words, cut; not escaped yet (`linkEnded` does that). */
  readonly detail: string;
  /** With "process": other plugins ran there too, so this one may not be the cause. */
  readonly shared?: boolean;
}

/** Reads the hint that the worker writes into shared memory (see `CELL`); where there is no shared memory, messages carry it. */
export interface CellReader {
  running(): number;
  started(): number;
}

/** One worker, locked down and waiting, or running its plugin. */
export interface Link {
  /** Unique among the links of one process; the frames' routing header. */
  readonly route: number;
  readonly isolation: Isolation;
  /** The wall around its host process; undefined for a thread of the platform's own process. */
  readonly wall: WallName | undefined;
  /** The host process; undefined for a thread of the platform's own process. */
  readonly pid: number | undefined;
  readonly cell: CellReader;
  /** Milliseconds its loop has been busy, up to a second old; for a dedicated process, the CPU time that the kernel reports. */
  readonly busyMs: number;
  /** Resident memory of the host process in MiB, up to a second old; undefined for a thread of the platform's own process. */
  readonly residentMb: number | undefined;
  /** Called with anything the worker posts: untrusted, any type. Set once, by the session. */
  onFrame: ((data: unknown) => void) | undefined;
  /** Called once, when the worker has ended or been abandoned. */
  onEnd: ((end: LinkEnd) => void) | undefined;
  /**
   * Present where other workers run in the same process: resolves once that process's main thread has reported the cells as they
   * are now; never, if it ends first.
   */
  readonly passedOn?: (() => Promise<void>) | undefined;
  /**
   * Takes a profile of the worker for `ms` milliseconds. Resolves with V8's text, which is as untrusted as the worker; rejects with an
   * error that gives the reason, also once `gone` is aborted. Absent in links to simulated workers.
   */
  readonly profile?: ((of: ProfileKind, ms: number, gone?: AbortSignal) => Promise<string>) | undefined;
  /** Posts one frame. Never throws. */
  send(frame: string): void;
  /** Terminates the worker, in the background; `onEnd` follows. Idempotent. */
  kill(detail: string): void;
}

/** What a worker is requested for. */
export interface LaunchRequest {
  readonly plugin: string;
  readonly memoryMb: number;
  /**
   * Returns false once the plugin has crashed or broken the protocol; used to assign blame when a shared process ends.
   * Default: true.
   */
  readonly clean?: () => boolean;
  /** Crashes of its own within the breaker's window. Default: none. */
  readonly crashes?: () => number;
  /** Called when the worker's place has become unsuitable and the plugin should move to another. Nothing has ended yet. */
  readonly move?: () => void;
}

/** Starts workers and keeps spares. */
export interface Launcher {
  /**
   * Returns a worker that has said hello, a spare if there is one. Rejects with `ERR_PLUGIN_START` or
   * `ERR_ISOLATION_UNAVAILABLE`.
   */
  launch(request: LaunchRequest): Promise<Link>;
  /** Prepares a worker of a memory class, in mebibytes, that is soon to be requested. A hint, which never fails. */
  warm?(memoryMb: number): void;
  /** Threads or processes alive now, including those being terminated. */
  live(): number;
  /** Terminates everything and resolves when all of it has ended. */
  close(): Promise<void>;
}
