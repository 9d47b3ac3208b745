/** One plugin's queries: those that wait for its worker, and those that a worker has. */
import type { Query } from "./backend.js";
import { RESOLVER } from "./limits.js";

/** A worker's request for queries. */
interface Poll {
  /** Names the worker. */
  readonly worker: string;
  resolve(queries: readonly Query[]): void;
  readonly late: NodeJS.Timeout;
}

interface Given {
  readonly query: Query;
  /** The worker that has it. */
  readonly worker: string;
  readonly until: number;
}

export class PluginQueries {
  readonly #now: () => number;
  readonly #drop: (id: number) => void;
  #waiting: readonly { readonly query: Query; readonly until: number }[] = [];
  readonly #given = new Map<number, Given>();
  #polls: readonly Poll[] = [];
  /** The last worker that asked. */
  #worker = "";

  /** `now`: in monotonic milliseconds. `drop`: gives up a query. */
  constructor(now: () => number, drop: (id: number) => void) {
    this.#now = now;
    this.#drop = drop;
  }

  /** Queues a query, or gives it up if too many wait. */
  add(query: Query): void {
    this.#sweep();
    if (this.#waiting.length >= RESOLVER.waiting) {
      this.#drop(query.id);
      return;
    }
    this.#waiting = [...this.#waiting, { query, until: this.#now() + RESOLVER.queryMs }];
    this.#serve();
  }

  /** Resolves with queries for a worker, with none after some time. A new worker also gets those that the last one had. */
  next(worker: string): Promise<readonly Query[]> {
    if (worker !== this.#worker) {
      this.#worker = worker;
      const left = [...this.#given.values()];
      this.#given.clear();
      this.#waiting = [...left.map(({ query, until }) => ({ query, until })), ...this.#waiting];
    }
    this.#sweep();
    if (this.#polls.length >= RESOLVER.polls) this.#settle(this.#polls[0], []);
    return new Promise((resolve) => {
      const poll: Poll = {
        worker,
        resolve,
        late: setTimeout(() => this.#settle(poll, []), RESOLVER.pollMs).unref(),
      };
      this.#polls = [...this.#polls, poll];
      this.#serve();
    });
  }

  /** Returns true if the plugin has this query and may still answer it, and forgets it. */
  take(id: number): boolean {
    const given = this.#given.get(id);
    this.#given.delete(id);
    return given !== undefined && given.until > this.#now();
  }

  /** Gives up all queries. */
  close(): void {
    for (const poll of this.#polls) this.#settle(poll, []);
    for (const { query } of [...this.#waiting, ...this.#given.values()]) this.#drop(query.id);
    this.#waiting = [];
    this.#given.clear();
  }

  #serve(): void {
    // The latest: an earlier one may be of a worker that has ended.
    const poll = this.#polls.at(-1);
    if (!poll || this.#waiting.length === 0) return;
    const batch = this.#waiting.slice(0, RESOLVER.batch);
    this.#waiting = this.#waiting.slice(RESOLVER.batch);
    for (const { query, until } of batch) this.#given.set(query.id, { query, until, worker: poll.worker });
    this.#settle(
      poll,
      batch.map(({ query }) => query),
    );
  }

  #settle(poll: Poll | undefined, queries: readonly Query[]): void {
    if (!poll) return;
    clearTimeout(poll.late);
    this.#polls = this.#polls.filter((one) => one !== poll);
    poll.resolve(queries);
  }

  /** Forgets queries whose deadline has passed: the process has given them up. */
  #sweep(): void {
    const now = this.#now();
    this.#waiting = this.#waiting.filter(({ until }) => until > now);
    for (const [id, { until }] of this.#given) {
      if (until > now) break;
      this.#given.delete(id);
    }
  }
}
