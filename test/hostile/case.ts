/** What a hostile case is: a plugin that attacks, and what must come of it. */
import type { Arena } from "./arena.js";

/** Where the plugins of a run live. */
export const ISOLATIONS = ["thread", "process", "dedicated"] as const;
export type Isolation = (typeof ISOLATIONS)[number];

/**
 * How an attack ended, worst last. "refused inside": the plugin saw an error, or found nothing, and lives on; "plugin ended": the host
 * refused or ended it; "host ended and recovered": its host process went, and came back; "not stopped (named)": SECURITY.md says so.
 */
export const OUTCOMES = ["refused inside", "plugin ended", "host ended and recovered", "not stopped (named)"] as const;
export type Outcome = (typeof OUTCOMES)[number];

export interface HostileCase {
  /** Its number in the list of attacks (classes A to H, 1 to 56). */
  readonly item: number;
  readonly title: string;
  /** The plugin's code; or the files of its folder, by relative path. */
  readonly source: string | Readonly<Record<string, string>>;
  /** Its entry in the policy, beside the short deadlines every hostile plugin gets. */
  readonly policy?: Readonly<Record<string, unknown>>;
  /** Aborts the process that holds the worker. Under "thread" that is the platform's: the case is run in a process of its own. */
  readonly aborts?: true;
  /** Counts what belongs to the whole process: no other case may run beside it. */
  readonly alone?: true;
  /** Deadline of the test, in milliseconds. */
  readonly ms?: number;
  /** Called with the plugins folder before the host starts. */
  prepare?(folder: string): Promise<void>;
  /** Attacks, asserts what came of it, and says how it ended. */
  run(arena: Arena): Promise<Outcome>;
}

/** One line of the table: what a case came to. */
export interface CaseResult {
  readonly item: number;
  readonly title: string;
  readonly isolation: Isolation;
  readonly outcome: Outcome;
  readonly ms: number;
  /** The longest a call to the neighbour took meanwhile, in milliseconds. */
  readonly neighbourMs: number;
}
