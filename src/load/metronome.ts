/**
 * Beats of an open loop at a moderate rate, from a thread of its own that sleeps between them: a timer would be late by more than
 * many an answer takes, and turning the loop until the next one is due would take a whole core from whoever answers.
 */
import { Worker } from "node:worker_threads";

/** What its thread is told. */
export interface Beats {
  /** Of the first beat, in milliseconds of the system's monotonic clock. */
  readonly began: number;
  readonly perSecond: number;
  /** How many there are; then its thread ends by itself. */
  readonly count: number;
}

export class Metronome {
  readonly #thread: Worker;
  #wake: (() => void) | undefined;

  constructor(beats: Beats) {
    this.#thread = new Worker(new URL("./metronome-thread.js", import.meta.url), { workerData: beats });
    this.#thread.on("message", () => this.#woken());
    // Without beats the loop goes on by its own patience.
    this.#thread.on("error", () => this.#woken());
  }

  /** Resolves with the next beat, at the latest after `ms`. One call at a time. */
  beat(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#woken(), ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async stop(): Promise<void> {
    await this.#thread.terminate();
  }

  #woken(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}
