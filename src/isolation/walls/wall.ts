/** The walls around a host process, strongest first, and what a policy may demand. */

/** The kind of wall around a host process. */
export type WallName = "bubblewrap" | "node" | "none";

/** A policy's `sandbox`: one wall and nothing weaker, or ("auto") the strongest that can be raised here. */
export const SANDBOXES = ["bubblewrap", "auto", "node", "none"] as const;
export type SandboxPolicy = (typeof SANDBOXES)[number];

/** How to start a host process. Descriptor 3 is its link; 4 and 5, where given, are read by the wall itself. */
export interface WallCommand {
  /** Its working folder; absent: the root. */
  readonly cwd?: string;
  readonly command: string;
  readonly args: readonly string[];
  /** The account it runs as; absent: the platform's own. */
  readonly account?: { readonly uid: number; readonly gid: number };
  /** File to open as descriptor 5: the seccomp filter. */
  readonly filter?: string;
  /** True if descriptor 4 reports the PID behind the wall. */
  readonly tellsPid: boolean;
}

/** A program run behind a wall instead of a host process, to try the wall. */
export interface Trial {
  /** A file, by its path in the runtime folder. */
  readonly file: string;
  /**
   * "node": run by Node as a host process is; "bare": by Node without its permission flags; "program": the file is itself a
   * program.
   */
  readonly as: "node" | "bare" | "program";
}

/** A wall that was raised. Bubblewrap has been tried once; weaker walls only when the platform is root. */
export interface Wall {
  readonly name: WallName;
  /** Parts that this machine lacks, in words; empty: the wall is complete. */
  readonly lacks: readonly string[];
  /** Returns the command of one host process with at most `dataMb` mebibytes of writable memory, or of a trial in its place. */
  command(dataMb: number, trial?: Trial): WallCommand;
  /** Releases what the wall keeps ready. */
  release(): void;
}
