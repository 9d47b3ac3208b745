/**
 * Write coalescer: combines writes by turns of the event loop. The first of a turn is written in the next microtasks, so that
 * a lone caller does not wait; later ones of the same turn are written together once all its events have been handled, since
 * the fixed cost of a write is several times that of its content.
 */
export class WriteCoalescer {
  readonly #write: () => void;
  readonly #run: () => void;
  readonly #over: () => void;
  #scheduled = false;
  #soon = false;
  /** True if something has been written in this turn. */
  #written = false;

  /** `write` writes everything pending; there may be nothing left by then. */
  constructor(write: () => void) {
    this.#write = write;
    this.#over = () => {
      this.#written = false;
    };
    this.#run = () => {
      this.#scheduled = false;
      this.#soon = false;
      if (!this.#written) {
        this.#written = true;
        setImmediate(this.#over);
      }
      this.#write();
    };
  }

  /** Writes in the next microtasks, with everything pending. */
  soon(): void {
    if (this.#soon) return;
    this.#soon = true;
    queueMicrotask(this.#run);
  }

  schedule(): void {
    if (this.#scheduled || this.#soon) return;
    this.#scheduled = true;
    if (this.#written) setImmediate(this.#run);
    else queueMicrotask(this.#run);
  }
}
