/** What an operator may ask about one plugin's calls: those in progress, how they ended, how long they took, the last errors. */
import { monotonicNow } from "../../common/clock.js";
import type { WorkerMethod } from "../../protocol/messages.js";

/** Upper bounds of the durations' buckets, in milliseconds; one more bucket has the rest. */
export const DURATION_BUCKETS: readonly number[] = [0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 1_000, 2_500, 10_000];

/** Errors that are remembered. */
const LAST_ERRORS = 10;

/** A call that has not been answered. */
export interface OpenCall {
  readonly type: string;
  readonly method: WorkerMethod;
  readonly nid: string | undefined;
  readonly eid: string | undefined;
  /** Monotonic milliseconds. */
  readonly began: number;
}

/** An error that a caller got, or that ended a worker. `message` may hold the plugin's words, escaped to one line. */
export interface PastError {
  readonly time: number;
  readonly code: string;
  readonly message: string;
  readonly type?: string | undefined;
  readonly method?: string | undefined;
}

/** The answered calls of one method of one type. */
export interface MethodTally {
  readonly type: string;
  readonly method: WorkerMethod;
  /** Answers without an error. */
  ok: number;
  /** Those with an error, by code. */
  readonly errors: Map<string, number>;
  /** Answers by duration: `DURATION_BUCKETS`, not cumulative. */
  readonly buckets: number[];
  /** All durations together, in milliseconds. */
  totalMs: number;
}

export class Tally {
  readonly #open = new Set<OpenCall>();
  readonly #methods = new Map<string, Map<WorkerMethod, MethodTally>>();
  readonly #kills = new Map<string, number>();
  readonly #errors: PastError[] = [];

  get open(): Iterable<OpenCall> {
    return this.#open;
  }

  get inFlight(): number {
    return this.#open.size;
  }

  /** Lists the methods called so far. */
  *methods(): Iterable<MethodTally> {
    for (const methods of this.#methods.values()) yield* methods.values();
  }

  /** Workers terminated by the host, by code. */
  get kills(): ReadonlyMap<string, number> {
    return this.#kills;
  }

  /** The last errors, oldest first. */
  get errors(): readonly PastError[] {
    return this.#errors;
  }

  began(call: OpenCall): void {
    this.#open.add(call);
  }

  /** Counts an answer; `code`: its error's, if it is one. A second answer to the same call is not counted. */
  ended(call: OpenCall, code?: string): void {
    if (!this.#open.delete(call)) return;
    const { type, method, began } = call;
    const ms = monotonicNow() - began;
    const of = this.#of(type, method);
    if (code === undefined) of.ok++;
    else of.errors.set(code, (of.errors.get(code) ?? 0) + 1);
    of.totalMs += ms;
    let bucket = 0;
    while (bucket < DURATION_BUCKETS.length && ms > (DURATION_BUCKETS[bucket] ?? 0)) bucket++;
    of.buckets[bucket] = (of.buckets[bucket] ?? 0) + 1;
  }

  /** Remembers an error. */
  failed(error: Omit<PastError, "time">): void {
    if (this.#errors.length >= LAST_ERRORS) this.#errors.shift();
    this.#errors.push({ time: Date.now(), ...error });
  }

  killed(code: string): void {
    this.#kills.set(code, (this.#kills.get(code) ?? 0) + 1);
  }

  #of(type: string, method: WorkerMethod): MethodTally {
    let methods = this.#methods.get(type);
    if (!methods) {
      methods = new Map();
      this.#methods.set(type, methods);
    }
    let of = methods.get(method);
    if (!of) {
      of = { type, method, ok: 0, errors: new Map(), buckets: Array(DURATION_BUCKETS.length + 1).fill(0), totalMs: 0 };
      methods.set(method, of);
    }
    return of;
  }
}
