/** Asks a host process for its workers' cells while one of them has been silent for some time, since it may be blocked. */
import { WALLS } from "./limits.js";
import type { ProcessLink } from "./process-link.js";

export class CellRequests {
  readonly #links: () => Iterable<ProcessLink>;
  readonly #ask: () => void;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  /** `links`: the process's workers. */
  constructor(links: () => Iterable<ProcessLink>, ask: () => void) {
    this.#links = links;
    this.#ask = ask;
  }

  /** Called at each frame to a worker. */
  sending(): void {
    if (this.#timer !== undefined || this.#stopped) return;
    this.#timer = setTimeout(() => this.#look(), WALLS.cellMs).unref();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #look(): void {
    this.#timer = undefined;
    let [waits, blocked] = [false, false];
    for (const link of this.#links()) {
      if (!link.silent) continue;
      waits = true;
      blocked ||= link.quiet;
      link.quiet = true;
    }
    if (blocked) this.#ask();
    if (waits) this.sending();
  }
}
