/** A link: the one way between the host and one plugin's worker, wherever that worker lives. */
import type { WallName } from "./walls/wall.js";

/** Where a plugin's worker lives, weakest first. */
export const ISOLATIONS = ["thread", "process", "dedicated"] as const;
export type Isolation = (typeof ISOLATIONS)[number];

/** Why a worker is no longer there. */
export interface LinkEnd {
  /**
   * "killed": by the host; "exit": it ended by itself; "memory": out of its class; "process": the host process that held it
   * has ended.
   */
  readonly how: "killed" | "exit" | "memory" | "process";
  /** In the runtime's words, for the log; cut and escaped. */
  readonly detail: string;
  /** With "process": other plugins lived there too, so this one need not be the cause. */
  readonly shared?: boolean;
}

/** A hint written by the worker into shared memory: see `CELL`. Told by messages where there is no shared memory. */
export interface CellReader {
  running(): number;
  started(): number;
}

/** One worker, locked down and waiting, or running its plugin. */
export interface Link {
  /** Unique among the links of one process; the frames' routing header. */
  readonly route: number;
  readonly isolation: Isolation;
  /** What stands around its host process; undefined for a thread of the platform's own process. */
  readonly wall: WallName | undefined;
  /** The host process; undefined for a thread of the platform's own process. */
  readonly pid: number | undefined;
  readonly cell: CellReader;
  /** Milliseconds its loop has been busy since it began, as seen from outside the worker; up to a second old. */
  readonly busyMs: number;
  /** Called with whatever the worker posts: untrusted, any type. Set once, by the session. */
  onFrame: ((data: unknown) => void) | undefined;
  /** Called once, when the worker has ended or been given up. */
  onEnd: ((end: LinkEnd) => void) | undefined;
  /** Where other workers live in the same process: resolves once that has passed on what was sent; never, when it ends first. */
  readonly passedOn?: (() => Promise<void>) | undefined;
  /** Posts one frame. Never throws. */
  send(frame: string): void;
  /** Ends the worker, in the background; `onEnd` follows. Idempotent. */
  kill(detail: string): void;
}

/** What a worker is wanted for. */
export interface LaunchRequest {
  readonly plugin: string;
  readonly memoryMb: number;
  /** False once the plugin has crashed or broken the protocol: what a shared process's end is judged by. Default: true. */
  readonly clean?: () => boolean;
  /** Crashes of its own within the breaker's window. Default: none. */
  readonly crashes?: () => number;
  /** Told that where the worker lives is no good place any more: it may be had elsewhere. Nothing has ended yet. */
  readonly move?: () => void;
}

/** Starts workers and keeps spares. */
export interface Launcher {
  /** A worker that has said hello; takes a spare where there is one. Rejects with `ERR_PLUGIN_START` or `ERR_ISOLATION_UNAVAILABLE`. */
  launch(request: LaunchRequest): Promise<Link>;
  /** A worker of a memory class, in mebibytes, will soon be wanted: it is made ready meanwhile. A hint, which never fails. */
  warm?(memoryMb: number): void;
  /** Threads or processes alive now, those being ended included. */
  live(): number;
  /** Ends everything and resolves when all of it has ended. */
  close(): Promise<void>;
}
