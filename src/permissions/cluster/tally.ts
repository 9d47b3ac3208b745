/** Counts what a plugin has asked of the cluster since the host began, over all of its loads. */
import { DriverError, type ErrorCode } from "../../driverapi/errors.js";

export class ClusterTally {
  readonly #requests = new Map<ErrorCode | "ok", number>();
  #stale = 0;

  /** Answered requests by code, `ok` for success. */
  get requests(): ReadonlyMap<ErrorCode | "ok", number> {
    return this.#requests;
  }

  /** How often a watch became stale. */
  get stale(): number {
    return this.#stale;
  }

  noteStale(): void {
    this.#stale++;
  }

  /** Counts how a request ends. */
  async count<T>(work: () => Promise<T>): Promise<T> {
    try {
      const answer = await work();
      this.#note("ok");
      return answer;
    } catch (error) {
      this.#note(error instanceof DriverError ? error.code : "ERR_INTERNAL");
      throw error;
    }
  }

  #note(code: ErrorCode | "ok"): void {
    this.#requests.set(code, (this.#requests.get(code) ?? 0) + 1);
  }
}
