/** The walls around a host process, strongest first, and what a policy may demand. */

/** What stands around a host process. */
export type WallName = "bubblewrap" | "node" | "none";

/** A policy's `sandbox`: one wall and nothing weaker, or the strongest that can be raised here. */
export const SANDBOXES = ["bubblewrap", "auto", "node", "none"] as const;
export type SandboxPolicy = (typeof SANDBOXES)[number];

/** How a host process is started. Descriptor 3 is its link; 4 and 5, where given, are read by the wall itself. */
export interface WallCommand {
  /** Its working folder; absent: the root. */
  readonly cwd?: string;
  readonly command: string;
  readonly args: readonly string[];
  /** The account it runs as; absent: the platform's own. */
  readonly account?: { readonly uid: number; readonly gid: number };
  /** A file to open as descriptor 5: the filter of system calls. */
  readonly filter?: string;
  /** Descriptor 4 tells which process stands behind the wall. */
  readonly tellsPid: boolean;
}

/** What is run behind a wall in place of a host process, to try it. */
export interface Trial {
  /** A file, by its path in the runtime folder. */
  readonly file: string;
  /** "node": run by Node as a host process is; "bare": by Node without its permission flags; "program": a program itself. */
  readonly as: "node" | "bare" | "program";
}

/** A wall that has been raised once and found to hold. */
export interface Wall {
  readonly name: WallName;
  /** Parts that this machine lacks, in words; empty: all of it stands. */
  readonly lacks: readonly string[];
  /** The command of one host process with at most `dataMb` mebibytes of writable memory; of a trial in its place. */
  command(dataMb: number, trial?: Trial): WallCommand;
  /** Gives back what the wall keeps ready. */
  release(): void;
}
