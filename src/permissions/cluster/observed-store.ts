/** A store that counts its answers, so that an operator sees whether it answers and, if not, since when. */
import { messageOf } from "../../common/text.js";
import {
  type ClusterBackend,
  type Commit,
  type Guard,
  type KeyRange,
  type Payer,
  type ReadOptions,
  type Snapshot,
  StoreError,
  type StoreLease,
  type StoreWrite,
  type WatchSink,
} from "./backend.js";

/** What is known of a store. */
export interface StoreHealth {
  readonly requests: number;
  /** Those that the store did not answer, or refused for a fault of its own. */
  readonly failures: number;
  /** Whether the last request was answered; undefined: there was none. */
  readonly answers: boolean | undefined;
  /** Since when none was answered, in milliseconds since the epoch. */
  readonly failingSince: number | undefined;
  /** Why the last one failed. */
  readonly problem: string | undefined;
}

export class ObservedStore implements ClusterBackend {
  readonly #store: ClusterBackend;
  #requests = 0;
  #failures = 0;
  #answers: boolean | undefined;
  #failingSince: number | undefined;
  #problem: string | undefined;

  constructor(store: ClusterBackend) {
    this.#store = store;
  }

  get health(): StoreHealth {
    return {
      requests: this.#requests,
      failures: this.#failures,
      answers: this.#answers,
      failingSince: this.#failingSince,
      problem: this.#problem,
    };
  }

  read(range: KeyRange, options?: ReadOptions): Promise<Snapshot> {
    return this.#seen(() => this.#store.read(range, options));
  }

  commit(guards: readonly Guard[], writes: readonly StoreWrite[]): Promise<Commit> {
    return this.#seen(() => this.#store.commit(guards, writes));
  }

  watch(range: KeyRange, from: number, sink: WatchSink, payer?: Payer): () => void {
    return this.#store.watch(range, from, sink, payer);
  }

  async lease(ttlMs: number): Promise<StoreLease> {
    const lease = await this.#seen(() => this.#store.lease(ttlMs));
    return { id: lease.id, renew: () => this.#seen(() => lease.renew()), end: () => lease.end() };
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  async #seen<T>(work: () => Promise<T>): Promise<T> {
    this.#requests++;
    try {
      const answer = await work();
      this.#answered();
      return answer;
    } catch (error) {
      // A compacted revision, or a lease that has ended, is an answer.
      if (error instanceof StoreError && error.gone) this.#answered();
      else {
        this.#failures++;
        this.#answers = false;
        this.#failingSince ??= Date.now();
        this.#problem = messageOf(error);
      }
      throw error;
    }
  }

  #answered(): void {
    this.#answers = true;
    this.#failingSince = undefined;
    this.#problem = undefined;
  }
}
