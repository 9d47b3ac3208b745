/**
 * Deadlines of calls in flight. Nearly every call is answered long before its own, so one timer serves all calls with the same timeout:
 * their list is in the order of their deadlines.
 */
import { monotonicNow } from "../../common/clock.js";

/** Receives the notice that its deadline has passed. */
export interface Late {
  late(): void;
}

/** The deadline of one call: in its timeout's list until it is met or has passed. */
export interface Deadline {
  /** Marks it as met: nothing will be called. Idempotent. */
  met(): void;
}

/** A deadline may be noticed this many milliseconds late, so that the timer of a list need not be set again for each call. */
const TOLERANCE_MS = 1;

class Entry implements Deadline {
  next: Entry | undefined;
  previous: Entry | undefined;
  #list: List | undefined;
  readonly at: number;
  readonly of: Late;

  constructor(list: List, at: number, of: Late) {
    this.#list = list;
    this.at = at;
    this.of = of;
  }

  met(): void {
    this.#list?.remove(this);
    this.#list = undefined;
  }
}

class List {
  #first: Entry | undefined;
  #last: Entry | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** When the timer fires. */
  #due = 0;

  add(at: number, of: Late): Entry {
    const entry = new Entry(this, at, of);
    this.#insert(entry);
    // Undoes the `unref` of `remove`: a timer keeps the platform's process alive only while a call waits for it.
    if (this.#inTime(at)) this.#timer?.ref();
    else this.#arm(at);
    return entry;
  }

  remove(entry: Entry): void {
    if (entry.previous) entry.previous.next = entry.next;
    else this.#first = entry.next;
    if (entry.next) entry.next.previous = entry.previous;
    else this.#last = entry.previous;
    if (!this.#first) this.#timer?.unref();
  }

  /** Begins at the end, where nearly all belong: only a call that has waited for others has less time left than those in the list. */
  #insert(entry: Entry): void {
    let before = this.#last;
    while (before && before.at > entry.at) before = before.previous;
    const after = before ? before.next : this.#first;
    entry.previous = before;
    entry.next = after;
    if (before) before.next = entry;
    else this.#first = entry;
    if (after) after.previous = entry;
    else this.#last = entry;
  }

  /** True if the timer fires in time for a deadline. */
  #inTime(at: number): boolean {
    return this.#timer !== undefined && this.#due <= at + TOLERANCE_MS;
  }

  #arm(at: number): void {
    clearTimeout(this.#timer);
    const ms = Math.max(1, Math.ceil(at - monotonicNow()));
    this.#due = at;
    this.#timer = setTimeout(() => this.#expire(), ms);
  }

  #expire(): void {
    this.#timer = undefined;
    for (let first = this.#first; first && first.at <= monotonicNow(); first = this.#first) {
      first.met();
      first.of.late();
    }
    if (this.#first && !this.#inTime(this.#first.at)) this.#arm(this.#first.at);
  }
}

/** By timeout, in milliseconds: as many lists as there are different timeouts. */
const lists = new Map<number, List>();

/** Calls `of.late` at `expires` (monotonic milliseconds), unless the deadline is met first. `ms`: the call's whole timeout. */
export function deadline(expires: number, ms: number, of: Late): Deadline {
  let list = lists.get(ms);
  if (!list) {
    list = new List();
    lists.set(ms, list);
  }
  return list.add(expires, of);
}
