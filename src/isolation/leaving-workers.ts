/** Terminated workers of a shared host process that have not exited yet: inside one native call, that can take long. */
import { WALLS } from "./limits.js";
import type { ProcessLink } from "./process-link.js";

export interface LeavingOptions {
  /** Called when a terminated worker still runs after `WALLS.leavingMs`: it slows its neighbours, and may end the whole process. */
  lingering(): void;
  /** Called when it still runs after the time by which its process should have ended because of it. */
  stuck(why: string): void;
}

interface Leaving {
  readonly link: ProcessLink;
  readonly timers: readonly NodeJS.Timeout[];
}

export class LeavingWorkers {
  readonly #options: LeavingOptions;
  /** By their links' routing headers. */
  readonly #all = new Map<string, Leaving>();

  constructor(options: LeavingOptions) {
    this.#options = options;
  }

  get any(): boolean {
    return this.#all.size > 0;
  }

  has(header: string): boolean {
    return this.#all.has(header);
  }

  add(header: string, link: ProcessLink): void {
    const ms = WALLS.stuckMs + WALLS.pongMs;
    const { lingering, stuck } = this.#options;
    const timers = [
      setTimeout(lingering, WALLS.leavingMs).unref(),
      setTimeout(() => stuck(`a terminated worker was still running after ${ms} ms`), ms).unref(),
    ];
    this.#all.set(header, { link, timers });
  }

  /** Called when a worker's thread has exited. */
  left(header: string): void {
    const one = this.#all.get(header);
    if (one === undefined) return;
    this.#all.delete(header);
    for (const timer of one.timers) clearTimeout(timer);
    one.link.left();
  }

  /** Called when the process has ended. */
  stop(): void {
    for (const { timers } of this.#all.values()) for (const timer of timers) clearTimeout(timer);
  }
}
