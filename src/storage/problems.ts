/** What goes wrong with a data folder while a host runs: told once when it begins, and once when it is over. */
import { messageOf } from "../common/text.js";
import { systemCode } from "./errors.js";

/**
 * `full`: nothing new is accepted. `checkpoint`: the log grows, since no checkpoint can replace it. `failed`: nothing more is written until
 * the host is started again.
 */
export type ProblemKind = "full" | "checkpoint" | "failed";

export interface StorageProblem {
  readonly kind: ProblemKind;
  /** The system's code, or ours. */
  readonly code?: string;
  readonly reason: string;
  readonly over: boolean;
}

type Listener = (problem: StorageProblem) => void;

export class Problems {
  readonly #open = new Map<ProblemKind, StorageProblem>();
  #listener: Listener = () => {};

  /** Calls `listener` with each problem from now on, and with those that there are. */
  listen(listener: Listener): void {
    this.#listener = listener;
    for (const problem of this.#open.values()) listener(problem);
  }

  /** Reports a problem, unless it is the one of its kind that has been reported. */
  begin(kind: ProblemKind, error: unknown): void {
    const code = systemCode(error);
    const known = this.#open.get(kind);
    if (known && known.code === code) return;
    const problem: StorageProblem = {
      kind,
      ...(code === undefined ? {} : { code }),
      reason: messageOf(error),
      over: false,
    };
    this.#open.set(kind, problem);
    this.#listener(problem);
  }

  /** Reports that a problem is over, if it was reported. */
  end(kind: ProblemKind): void {
    const known = this.#open.get(kind);
    if (!known) return;
    this.#open.delete(kind);
    this.#listener({ ...known, over: true });
  }
}
