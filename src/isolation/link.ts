/** A link: the one way between the host and one plugin's worker, wherever that worker lives. */

/** Why a worker is no longer there. */
export interface LinkEnd {
  /** "killed": by the host; "exit": it ended by itself; "memory": out of its class. */
  readonly how: "killed" | "exit" | "memory";
  /** In the runtime's words, for the log; cut and escaped. */
  readonly detail: string;
}

/** A hint written by the worker into shared memory: see `CELL`. Plain zeros where there is no shared memory. */
export interface CellReader {
  running(): number;
  started(): number;
}

/** One worker, locked down and waiting, or running its plugin. */
export interface Link {
  /** Unique among the links of this process; the frames' routing header. */
  readonly route: number;
  readonly cell: CellReader;
  /** Called with whatever the worker posts: untrusted, any type. Set once, by the session. */
  onFrame: ((data: unknown) => void) | undefined;
  /** Called once, when the worker has ended or been given up. */
  onEnd: ((end: LinkEnd) => void) | undefined;
  /** Posts one frame. Never throws. */
  send(frame: string): void;
  /** Ends the worker, in the background; `onEnd` follows. Idempotent. */
  kill(detail: string): void;
}

/** Starts workers and keeps spares. */
export interface Launcher {
  /** A worker that has said hello; takes a spare where there is one. Rejects with `ERR_PLUGIN_START`. */
  launch(request: { readonly plugin: string; readonly memoryMb: number }): Promise<Link>;
  /** Threads or processes alive now, those being ended included. */
  live(): number;
  /** Ends everything and resolves when all of it has ended. */
  close(): Promise<void>;
}
