/** One listener per AbortSignal, however many wait for it: Node warns of a leak from the eleventh listener on. */

/** The waiters of one signal. */
class Waiters {
  readonly #signal: AbortSignal;
  readonly #leave = new Set<() => void>();

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  add(leave: () => void): void {
    if (this.#leave.size === 0) this.#signal.addEventListener("abort", this.#fire, { once: true });
    this.#leave.add(leave);
  }

  delete(leave: () => void): void {
    if (this.#leave.delete(leave) && this.#leave.size === 0) this.#signal.removeEventListener("abort", this.#fire);
  }

  readonly #fire = (): void => {
    const all = [...this.#leave];
    this.#leave.clear();
    for (const leave of all) leave();
  };
}

const signals = new WeakMap<AbortSignal, Waiters>();

/** Calls `leave` once when `signal`, which is not aborted yet, fires. Returns a function that cancels this. */
export function whenAborted(signal: AbortSignal, leave: () => void): () => void {
  let waiting = signals.get(signal);
  if (!waiting) {
    waiting = new Waiters(signal);
    signals.set(signal, waiting);
  }
  waiting.add(leave);
  const taken = waiting;
  return () => taken.delete(leave);
}
