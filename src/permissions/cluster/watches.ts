/** One plugin's watches on this host, and the events that wait for its workers. A watch belongs to the worker that asked for it. */
import type { Json } from "../../driverapi/json.js";
import { Follow, type FollowOptions } from "./follow.js";
import type { ClusterFigures } from "./limits.js";
import type { Space } from "./space.js";
import { charsOf, type WatchEvent } from "./watch-event.js";

/** Workers of one plugin whose watches are kept: while it is replaced, it has two. */
const WORKERS = 2;

/** What `Watches` takes. */
export interface WatchesOptions {
  readonly space: Space;
  readonly figures: ClusterFigures;
  readonly warn: FollowOptions["warn"];
  /** Called when a watch becomes stale. */
  stale(): void;
}

/** A watch as the operator sees it. */
export interface WatchState {
  readonly prefix: string;
  /** The last revision told; null: none yet. */
  readonly revision: number | null;
  /** How long ago it was last proven that it missed nothing, in milliseconds. */
  readonly provenMs: number;
  readonly stale: boolean;
}

interface Watch {
  readonly id: number;
  readonly prefix: string;
  readonly follow: Follow;
  events: readonly WatchEvent[];
  chars: number;
  /** True while it is stopped because too many events wait. */
  overrun: boolean;
}

interface Poll {
  /** False: the worker only shows that it lives. */
  readonly ready: boolean;
  resolve(events: Json): void;
  readonly late: NodeJS.Timeout;
}

interface Worker {
  readonly watches: Map<number, Watch>;
  poll: Poll | undefined;
  polledAt: number;
  /** The watch that is served first: round-robin, so that no watch waits behind the flood of another. */
  turn: number;
}

export class Watches {
  readonly #options: WatchesOptions;
  readonly #workers = new Map<string, Worker>();

  constructor(options: WatchesOptions) {
    this.#options = options;
  }

  /** The numbers of one worker's watches. */
  of(worker: string): ReadonlySet<number> {
    return new Set(this.#workers.get(worker)?.watches.keys());
  }

  /** Lists all watches. */
  list(): readonly WatchState[] {
    const all = [...this.#workers.values()].flatMap(({ watches }) => [...watches.values()]);
    return all.map(({ prefix, follow }) => ({ prefix, ...follow.state }));
  }

  /** Returns how long ago a worker asked for events, in milliseconds. */
  silentMs(worker: string): number {
    const { polledAt } = this.#workers.get(worker) ?? { polledAt: Number.NEGATIVE_INFINITY };
    return performance.now() - polledAt;
  }

  /** Follows the keys that begin with `prefix`, from a revision on. */
  add(worker: string, id: number, prefix: string, from: number | undefined): void {
    const { space, figures, warn, stale } = this.#options;
    const owner = this.meet(worker);
    const follow = new Follow({
      space,
      prefix,
      from,
      figures,
      warn,
      tell: (event) => {
        if (event.type === "stale") stale();
        this.#queue(owner, watch, event);
        this.#serve(owner);
      },
    });
    const watch: Watch = { id, prefix, follow, events: [], chars: 0, overrun: false };
    owner.watches.set(id, watch);
    follow.start();
  }

  remove(worker: string, id: number): void {
    const watches = this.#workers.get(worker)?.watches;
    watches?.get(id)?.follow.stop();
    watches?.delete(id);
  }

  /**
   * Resolves with events for a worker; with none after some time, or if the worker is not ready for any. Returns undefined if the worker
   * has no watches here any more, so that it does not wait for events.
   */
  next(worker: string, ready: boolean): Promise<Json> | undefined {
    const owner = this.#workers.get(worker);
    if (!owner) return undefined;
    owner.polledAt = performance.now();
    this.#settle(owner, []);
    return new Promise((resolve) => {
      const late = setTimeout(() => this.#settle(owner, []), this.#options.figures.pollMs).unref();
      owner.poll = { ready, resolve, late };
      this.#serve(owner);
    });
  }

  /** Characters of all events that wait for a worker. */
  waitingChars(worker: string): number {
    return sumOf(this.#workers.get(worker));
  }

  /** Returns a worker's part, made if it is new; then the one that has been silent for longest is dropped. */
  meet(name: string): Worker {
    let worker = this.#workers.get(name);
    if (!worker) {
      worker = { watches: new Map(), poll: undefined, polledAt: performance.now(), turn: 0 };
      const [silent] = [...this.#workers].sort(([, a], [, b]) => a.polledAt - b.polledAt);
      if (silent && this.#workers.size >= WORKERS) this.#drop(...silent);
      this.#workers.set(name, worker);
    }
    return worker;
  }

  /** Ends all watches. */
  close(): void {
    for (const [name, worker] of [...this.#workers]) this.#drop(name, worker);
  }

  #drop(name: string, worker: Worker): void {
    for (const id of [...worker.watches.keys()]) this.remove(name, id);
    this.#settle(worker, []);
    this.#workers.delete(name);
  }

  #queue(worker: Worker, watch: Watch, event: WatchEvent): void {
    const { queuedEvents, queuedChars } = this.#options.figures;
    if (event.type === "progress" && watch.events.at(-1)?.type === "progress") {
      watch.events = [...watch.events.slice(0, -1), event];
      return;
    }
    // A list replaces whatever waits before it.
    if (event.type === "resync") [watch.events, watch.chars] = [[], 0];
    watch.events = [...watch.events, event];
    watch.chars += charsOf(event);
    const all = sumOf(worker);
    const alone = event.type === "resync" && all === watch.chars;
    if (alone || (watch.events.length <= queuedEvents && all <= queuedChars)) return;
    // The worker is too slow: it gets a list once it asks again, so that its events have no gap.
    watch.follow.stop();
    [watch.events, watch.chars, watch.overrun] = [[], 0, true];
  }

  #serve(worker: Worker): void {
    if (!worker.poll?.ready) return;
    const { batchEvents, batchChars } = this.#options.figures;
    const batch: Json[] = [];
    let chars = 0;
    const watches = [...worker.watches.values()];
    const first = worker.turn++ % Math.max(1, watches.length);
    for (const watch of [...watches.slice(first), ...watches.slice(0, first)]) {
      if (watch.overrun) {
        watch.overrun = false;
        watch.follow.start();
      }
      let taken = 0;
      for (const event of watch.events) {
        if (batch.length >= batchEvents || (batch.length > 0 && chars + charsOf(event) > batchChars)) break;
        batch.push({ watch: watch.id, ...event } as Json);
        chars += charsOf(event);
        taken++;
      }
      for (const event of watch.events.slice(0, taken)) watch.chars -= charsOf(event);
      watch.events = watch.events.slice(taken);
    }
    if (batch.length > 0) this.#settle(worker, batch);
  }

  #settle(worker: Worker | undefined, events: Json): void {
    const poll = worker?.poll;
    if (!worker || !poll) return;
    worker.poll = undefined;
    clearTimeout(poll.late);
    poll.resolve(events);
  }
}

function sumOf(worker: Worker | undefined): number {
  let sum = 0;
  for (const { chars } of worker?.watches.values() ?? []) sum += chars;
  return sum;
}
