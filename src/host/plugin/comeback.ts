/** How a plugin whose worker has ended comes back: at once, then with growing pauses, then not until the breaker's time is up. */
import { Breaker } from "./breaker.js";

/** Why the last worker ended, or could not be started. */
export interface Ending {
  readonly code: string;
  readonly reason: string;
}

export interface ComebackOptions {
  /** How long an open breaker stays open before one more try, in milliseconds. */
  readonly breakerOpen: number;
  /** False when nobody wants the plugin back any more. */
  wanted(): boolean;
  /** Puts a new worker into service. `harsh`: its predecessors have blocked again and again. */
  launch(harsh: boolean): Promise<void>;
  restarted(last: Ending): void;
  /** A start failed; returns what it failed of. */
  failed(error: unknown): Ending;
  /** The breaker has opened. */
  givenUp(last: Ending): void;
  /** The breaker's time is up: run again. */
  again(last: Ending): void;
}

export class Comeback {
  readonly #options: ComebackOptions;
  readonly #breaker = new Breaker();
  #timer: NodeJS.Timeout | undefined;
  #endPause: (() => void) | undefined;

  constructor(options: ComebackOptions) {
    this.#options = options;
  }

  /** Counts the end of a worker in service. */
  crashed(blocked: boolean): void {
    this.#breaker.crash(blocked);
  }

  /** Crashes of this code within the breaker's window, failed starts and what was forgiven among them. */
  get record(): number {
    return this.#breaker.record;
  }

  /** Tries until the plugin is back, given up, or no longer wanted. */
  async run(first: Ending): Promise<void> {
    const { wanted, launch, restarted, failed, givenUp } = this.#options;
    let last = first;
    while (wanted()) {
      if (this.#breaker.open) {
        givenUp(last);
        this.#timer = setTimeout(() => {
          this.#breaker.halfOpen();
          this.#options.again(last);
        }, this.#options.breakerOpen).unref();
        return;
      }
      await this.#pause(this.#breaker.pause);
      if (!wanted()) return;
      try {
        await launch(this.#breaker.harsh);
        restarted(last);
        return;
      } catch (error) {
        last = failed(error);
        this.#breaker.crash(false);
      }
    }
  }

  /** Ends a pause early: somebody waits for what comes after. */
  hurry(): void {
    this.#endPause?.();
  }

  /** Takes back the one more try of an open breaker. */
  cancel(): void {
    clearTimeout(this.#timer);
    this.hurry();
  }

  /** What is loaded anew is tried anew. */
  forgive(): void {
    this.#breaker.forgive();
  }

  /** Other code has no record. */
  forget(): void {
    this.#breaker.forget();
  }

  #pause(ms: number): Promise<void> {
    if (ms === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#endPause = () => {
        clearTimeout(this.#timer);
        this.#endPause = undefined;
        resolve();
      };
      this.#timer = setTimeout(this.#endPause, ms);
    });
  }
}
