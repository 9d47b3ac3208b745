/**
 * The deadlines of calls in flight. Nearly every call is answered long before its own, so one timer serves all calls of one
 * length: they are given up in the order in which they began.
 */
import { monotonicNow } from "../../protocol/clock.js";

/** One call's: in the list of its length until it is met or has passed. */
export interface Deadline {
  /** It is met: nothing will be called. Idempotent. */
  met(): void;
}

class Entry implements Deadline {
  next: Entry | undefined;
  previous: Entry | undefined;
  #list: List | undefined;
  readonly at: number;
  readonly late: () => void;

  constructor(list: List, at: number, late: () => void) {
    this.#list = list;
    this.at = at;
    this.late = late;
  }

  met(): void {
    this.#list?.remove(this);
    this.#list = undefined;
  }
}

class List {
  readonly #ms: number;
  #first: Entry | undefined;
  #last: Entry | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(ms: number) {
    this.#ms = ms;
  }

  add(at: number, late: () => void): Entry {
    const entry = new Entry(this, at, late);
    entry.previous = this.#last;
    if (this.#last) this.#last.next = entry;
    else this.#first = entry;
    this.#last = entry;
    // A timer that nobody waits for does not keep the platform's process alive.
    if (this.#timer) this.#timer.ref();
    else this.#timer = setTimeout(() => this.#look(), this.#ms);
    return entry;
  }

  remove(entry: Entry): void {
    if (entry.previous) entry.previous.next = entry.next;
    else this.#first = entry.next;
    if (entry.next) entry.next.previous = entry.previous;
    else this.#last = entry.previous;
    if (!this.#first) this.#timer?.unref();
  }

  #look(): void {
    this.#timer = undefined;
    for (let first = this.#first; first && first.at <= monotonicNow(); first = this.#first) {
      first.met();
      first.late();
    }
    if (this.#first && !this.#timer)
      this.#timer = setTimeout(() => this.#look(), Math.max(1, Math.ceil(this.#first.at - monotonicNow())));
  }
}

/** Who has less than its whole time but this has waited. Up to that much, one may be given up after another's moment. */
const WAITED_MS = 1;

/** By length, in milliseconds: as many as there are different timeouts. */
const lists = new Map<number, List>();

/**
 * Calls `late` once it is `expires` (monotonic milliseconds), unless it is met before. `ms`: how long the call was given in all;
 * one that has waited for others meanwhile has less, and a place in nobody's list.
 */
export function deadline(expires: number, ms: number, late: () => void): Deadline {
  const left = expires - monotonicNow();
  if (left < ms - WAITED_MS) {
    const timer = setTimeout(late, Math.max(0, left));
    return { met: () => clearTimeout(timer) };
  }
  let list = lists.get(ms);
  if (!list) {
    list = new List(ms);
    lists.set(ms, list);
  }
  return list.add(expires, late);
}
