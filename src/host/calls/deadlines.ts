/**
 * Deadlines of calls in flight. Nearly every call is answered long before its own, so one timer serves all calls with the
 * same timeout, in the order in which they began.
 */
import { monotonicNow } from "../../common/clock.js";

/** The deadline of one call: in its timeout's list until it is met or has passed. */
export interface Deadline {
  /** Marks it as met: nothing will be called. Idempotent. */
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
    // Undoes the `unref` of `remove`: a timer keeps the platform's process alive only while a call waits for it.
    if (this.#timer) this.#timer.ref();
    else this.#timer = setTimeout(() => this.#expire(), this.#ms);
    return entry;
  }

  remove(entry: Entry): void {
    if (entry.previous) entry.previous.next = entry.next;
    else this.#first = entry.next;
    if (entry.next) entry.next.previous = entry.previous;
    else this.#last = entry.previous;
    if (!this.#first) this.#timer?.unref();
  }

  #expire(): void {
    this.#timer = undefined;
    for (let first = this.#first; first && first.at <= monotonicNow(); first = this.#first) {
      first.met();
      first.late();
    }
    if (this.#first && !this.#timer)
      this.#timer = setTimeout(() => this.#expire(), Math.max(1, Math.ceil(this.#first.at - monotonicNow())));
  }
}

/** Calls that have waited longer than this get a timer of their own; the others share one and may time out this much late. */
const WAITED_MS = 1;

/** By timeout, in milliseconds: as many lists as there are different timeouts. */
const lists = new Map<number, List>();

/**
 * Calls `late` at `expires` (monotonic milliseconds), unless the deadline is met before. `ms`: the call's whole timeout; a
 * call that has already waited for others has less left, and is not put into a list.
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
