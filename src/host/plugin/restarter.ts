/** Restarts a plugin whose worker has ended: at once, then with back-off, then only after the circuit breaker's time. */
import type { ErrorCode } from "../../driverapi/errors.js";
import { Breaker } from "./breaker.js";

/** Why the last worker ended, or could not be started. */
export interface Ending {
  readonly code: ErrorCode;
  readonly reason: string;
}

export interface RestarterOptions {
  /** How long an open breaker stays open before one more try, in milliseconds. */
  readonly breakerOpen: number;
  /** Returns false when the plugin is not to be restarted any more. */
  wanted(): boolean;
  /** Puts a new worker into service. `strict`: its predecessors have blocked repeatedly. */
  launch(strict: boolean): Promise<void>;
  restarted(last: Ending): void;
  /** Called when a start failed; returns the reason. */
  failed(error: unknown): Ending;
  /** Called when the breaker has opened. */
  givenUp(last: Ending): void;
  /** Called when the breaker's time is up: starts another run. */
  retry(last: Ending): void;
}

export class Restarter {
  readonly #options: RestarterOptions;
  readonly #breaker = new Breaker();
  #timer: NodeJS.Timeout | undefined;
  #endPause: (() => void) | undefined;

  constructor(options: RestarterOptions) {
    this.#options = options;
  }

  /** Counts the end of a worker in service. */
  crashed(blocked: boolean): void {
    this.#breaker.crash(blocked);
  }

  /** Crashes of this code within the breaker's window, including failed starts and forgiven crashes. */
  get recentCrashes(): number {
    return this.#breaker.recentCrashes;
  }

  /** Tries until the plugin is restarted, given up, or no longer wanted. */
  async run(first: Ending): Promise<void> {
    const { wanted, launch, restarted, failed, givenUp } = this.#options;
    let last = first;
    while (wanted()) {
      if (this.#breaker.open) {
        givenUp(last);
        this.#timer = setTimeout(() => {
          this.#breaker.halfOpen();
          this.#options.retry(last);
        }, this.#options.breakerOpen).unref();
        return;
      }
      await this.#pause(this.#breaker.pause);
      if (!wanted()) return;
      try {
        await launch(this.#breaker.strict);
        restarted(last);
        return;
      } catch (error) {
        last = failed(error);
        this.#breaker.crash(false);
      }
    }
  }

  /** Ends a pause early, for an operation that waits behind it. */
  endPause(): void {
    this.#endPause?.();
  }

  /** Cancels the try that an open breaker has scheduled, and ends a pause. */
  cancel(): void {
    clearTimeout(this.#timer);
    this.endPause();
  }

  /** Clears the crash count after a reload. */
  resetCount(): void {
    this.#breaker.resetCount();
  }

  /** Clears the record: it belongs to other code. */
  resetHistory(): void {
    this.#breaker.resetHistory();
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
