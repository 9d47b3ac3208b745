/**
 * The last events and log lines of a host. Each has an id that a client can resume at. What plugins write themselves is kept apart from
 * everything else, so that no plugin can evict events about itself.
 */
import { randomBytes } from "node:crypto";
import { CONTROL } from "./limits.js";
import { Ring, type RingItem, type RingLimits } from "./ring.js";
import type { HostEvent } from "./types.js";

/** An entry, as it is sent. */
export interface LoggedEvent extends RingItem {
  readonly event: string;
  readonly plugin: string | undefined;
}

export class EventLog {
  /** Tells this host's ids from an earlier one's. */
  readonly #run: string = randomBytes(4).toString("hex");
  readonly #own: Ring<LoggedEvent>;
  readonly #others: Ring<LoggedEvent>;
  readonly #listeners = new Set<() => void>();
  #next = 1;
  #telling: NodeJS.Immediate | undefined;

  /** `limits`: of each of the two kinds. */
  constructor(limits: RingLimits = { items: CONTROL.events, chars: CONTROL.eventChars }) {
    this.#own = new Ring(limits);
    this.#others = new Ring(limits);
  }

  /** UTF-16 units of all entries. */
  get chars(): number {
    return this.#own.chars + this.#others.chars;
  }

  /** Adds an entry; the oldest ones of its kind make room. Listeners are called once for all entries of this turn of the event loop. */
  add(given: Omit<HostEvent, "id" | "time">, time: number = Date.now()): void {
    const number = this.#next++;
    const id = `${this.#run}-${number}`;
    const entry = { id, time: new Date(time).toISOString(), ...given };
    let data = JSON.stringify(entry);
    if (data.length > CONTROL.eventLine) data = JSON.stringify({ ...entry, data: undefined });
    const { event, plugin, own } = given;
    const text = `id: ${id}\nevent: ${event}\ndata: ${data}\n\n`;
    (own ? this.#own : this.#others).add({ number, event, plugin, text });
    if (this.#listeners.size > 0) this.#telling ??= setImmediate(() => this.#tell());
  }

  /** Returns a reader that begins with the oldest entry. */
  oldest(): Reader {
    return this.#readerAt(0);
  }

  /** Returns a reader that begins with the next entry. */
  newest(): Reader {
    return this.#readerAt(this.#next);
  }

  /**
   * Returns a reader that begins after the entry with this id; what has been evicted since counts as missed. For an unknown id, such
   * as an earlier host's, it begins at the oldest entry, and what was missed is not known.
   */
  after(id: string): Reader {
    const [run, number = ""] = id.split("-");
    if (run !== this.#run || !/^\d{1,15}$/.test(number)) return this.oldest();
    const from = Math.min(Number(number) + 1, this.#next);
    const reader = this.#readerAt(from);
    reader.missed = this.#next - from - reader.left;
    return reader;
  }

  /** Returns a reader that begins `count` wanted entries before the end. */
  last(count: number, wanted: (entry: LoggedEvent) => boolean): Reader {
    const rings = [this.#own, this.#others];
    const places = rings.map(({ next }) => next - 1);
    let number = this.#next;
    for (let left = count; left > 0; ) {
      const ends = rings.map((ring, index) => ring.at(places[index] as number)?.number ?? 0);
      const index = ends.indexOf(Math.max(...ends));
      const entry = rings[index]?.at(places[index] as number);
      if (!entry) break;
      number = entry.number;
      places[index] = (places[index] as number) - 1;
      if (wanted(entry)) left--;
    }
    return this.#readerAt(number);
  }

  /** Calls `listener` after new entries. Returns a function that stops it. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #readerAt(number: number): Reader {
    return new Reader([this.#own, this.#others], number);
  }

  #tell(): void {
    this.#telling = undefined;
    for (const listener of this.#listeners) listener();
  }
}

/** Reads the entries in order, at its own speed. */
export class Reader {
  readonly #rings: readonly Ring<LoggedEvent>[];
  readonly #places: number[];
  /** Entries that were evicted before it began. */
  missed = 0;

  constructor(rings: readonly Ring<LoggedEvent>[], number: number) {
    this.#rings = rings;
    this.#places = rings.map((ring) => ring.placeOf(number));
  }

  /** Skips entries that were evicted before they were read; returns how many. */
  skip(): number {
    let { missed } = this;
    this.missed = 0;
    for (const [index, { first }] of this.#rings.entries()) {
      const place = this.#places[index] as number;
      if (place >= first) continue;
      missed += first - place;
      this.#places[index] = first;
    }
    return missed;
  }

  /** Returns the next entry; undefined: all have been read. */
  next(): LoggedEvent | undefined {
    let [index, found] = [-1, undefined as LoggedEvent | undefined];
    for (const [at, ring] of this.#rings.entries()) {
      const entry = ring.at(this.#places[at] as number);
      if (entry && (found === undefined || entry.number < found.number)) [index, found] = [at, entry];
    }
    if (found) this.#places[index] = (this.#places[index] as number) + 1;
    return found;
  }

  /** Number of entries that have not been read. */
  get left(): number {
    return this.#rings.reduce((sum, { next }, index) => sum + next - (this.#places[index] as number), 0);
  }
}
