/**
 * Asks a host process for its workers' cells while one of them is silent, since it may be blocked. The same look limits what is
 * queued for workers that do not read.
 */
import { WALLS } from "./limits.js";
import type { ProcessLink } from "./process-link.js";

export interface CellRequestsOptions {
  links(): Iterable<ProcessLink>;
  /** Bytes queued for the process itself. */
  unread(): number;
  ask(): void;
  /** Called when more is queued than may be. */
  overrun(): void;
}

export class CellRequests {
  readonly #options: CellRequestsOptions;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(options: CellRequestsOptions) {
    this.#options = options;
  }

  /** Called after each frame to a worker. */
  sent(): void {
    if (this.#timer !== undefined || this.#stopped) return;
    this.#timer = setTimeout(() => this.#look(), WALLS.cellMs).unref();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #look(): void {
    this.#timer = undefined;
    const { links, unread, ask, overrun } = this.#options;
    let queued = unread();
    let silent = false;
    for (const link of links()) {
      queued += link.unread;
      silent ||= link.silent;
    }
    if (queued > WALLS.unreadBytes) overrun();
    else if (silent) {
      ask();
      this.sent();
    }
  }
}
