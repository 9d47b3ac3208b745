/**
 * Beats for an open loop at a moderate rate, from a thread that sleeps between them. Timers are late by more than the latencies
 * measured, and busy-waiting would take a core from the driver under load.
 */
import { Worker } from "node:worker_threads";

/** Data of its thread. */
export interface Beats {
  /** Time of the first beat, in milliseconds of the monotonic clock. */
  readonly began: number;
  readonly perSecond: number;
  /** Number of beats; the thread ends after them. */
  readonly count: number;
}

export class Metronome {
  readonly #thread: Worker;
  #wake: (() => void) | undefined;

  constructor(beats: Beats) {
    this.#thread = new Worker(new URL("./metronome-thread.js", import.meta.url), { workerData: beats });
    this.#thread.on("message", () => this.#woken());
    // Without beats, `beat` resolves at its timeout.
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
