/**
 * What is written by turns of the loop. The first of a turn is written in the microtasks that follow it, since nothing else may
 * come: one caller after another waits for nobody. What comes later in the same turn, each woken by an event of its own, is many
 * callers' and is written together once all events of the turn have been seen: a write costs several times what it carries.
 */
export class Turns {
  readonly #write: () => void;
  readonly #run: () => void;
  readonly #over: () => void;
  #scheduled = false;
  #soon = false;
  /** Something has been written in this turn. */
  #written = false;

  /** `write` writes all there is; it may find that there is nothing any more. */
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

  /** Written in the next microtasks, with all that waits. */
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
