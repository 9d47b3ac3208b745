/** The last events and log lines of a host, in a ring that is bounded in number and size. Each has an id that a client can resume at. */
import { randomBytes } from "node:crypto";
import { CONTROL } from "./limits.js";
import type { HostEvent } from "./types.js";

/** An entry, as it is sent. */
export interface LoggedEvent {
  readonly number: number;
  readonly event: string;
  readonly plugin: string | undefined;
  /** A block of a stream: id, event and data. */
  readonly text: string;
}

export interface EventLogLimits {
  readonly events: number;
  readonly eventChars: number;
}

export class EventLog {
  /** Tells this host's ids from an earlier one's. */
  readonly #run: string = randomBytes(4).toString("hex");
  readonly #limits: EventLogLimits;
  readonly #entries: (LoggedEvent | undefined)[] = [];
  readonly #listeners = new Set<() => void>();
  #chars = 0;
  /** Numbers of the oldest entry, and of the next. */
  #first = 1;
  #next = 1;
  #telling: NodeJS.Immediate | undefined;

  constructor(limits: EventLogLimits = CONTROL) {
    this.#limits = limits;
  }

  get first(): number {
    return this.#first;
  }

  get next(): number {
    return this.#next;
  }

  /** UTF-16 units of all entries. */
  get chars(): number {
    return this.#chars;
  }

  at(number: number): LoggedEvent | undefined {
    return number < this.#first ? undefined : this.#entries[number % this.#limits.events];
  }

  /** Adds an entry; the oldest ones make room. Listeners are called later, once for all entries of this turn of the event loop. */
  add(given: Omit<HostEvent, "id" | "time">, time: number = Date.now()): void {
    const number = this.#next++;
    const id = `${this.#run}-${number}`;
    const entry = { id, time: new Date(time).toISOString(), ...given };
    let data = JSON.stringify(entry);
    if (data.length > CONTROL.eventLine) data = JSON.stringify({ ...entry, data: undefined });
    const { event, plugin } = given;
    const text = `id: ${id}\nevent: ${event}\ndata: ${data}\n\n`;
    const place = number % this.#limits.events;
    if (number - this.#first >= this.#limits.events) this.#evict();
    this.#entries[place] = { number, event, plugin, text };
    this.#chars += text.length;
    while (this.#chars > this.#limits.eventChars && this.#first < number) this.#evict();
    if (this.#listeners.size > 0) this.#telling ??= setImmediate(() => this.#tell());
  }

  /**
   * Returns the number after the event with this id. An id of an earlier host, or one that is none, gives the oldest number: what came
   * between is not known.
   */
  after(id: string): number {
    const [run, number = ""] = id.split("-");
    if (run !== this.#run || !/^\d{1,15}$/.test(number)) return this.#first;
    return Math.min(Number(number) + 1, this.#next);
  }

  /** Calls `listener` after new entries. Returns a function that stops it. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #tell(): void {
    this.#telling = undefined;
    for (const listener of this.#listeners) listener();
  }

  #evict(): void {
    const place = this.#first % this.#limits.events;
    this.#chars -= this.#entries[place]?.text.length ?? 0;
    this.#entries[place] = undefined;
    this.#first++;
  }
}
