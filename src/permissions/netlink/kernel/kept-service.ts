/**
 * Keeps a process of ours running while it is needed: it is started for the first use, ended some time after the last, and restarted with
 * back-off if it crashes.
 */
import { RESTARTS } from "../../../common/limits.js";
import type { Mutex } from "../../../common/mutex.js";
import type { ServiceProcess } from "./service-process.js";

/** What a `KeptService` takes. */
export interface KeptServiceOptions {
  /** Serializes starts, orders and ends. */
  readonly mutex: Mutex;
  /** How long it runs without being needed, in milliseconds. */
  readonly lingerMs: number;
  start(): Promise<ServiceProcess>;
  needed(): boolean;
  /** Called when a process that is needed has ended by itself; `how`: its signal or exit code. */
  ended(how: string, pid: number | undefined): void;
  /** Makes a new process do what the last one did. Resolves with whether it does all of it; if not, it is tried again. */
  mend(): Promise<boolean>;
}

export class KeptService {
  readonly #options: KeptServiceOptions;
  #process: ServiceProcess | undefined;
  #backoff: number = RESTARTS.firstMs;
  #mending: NodeJS.Timeout | undefined;
  #lingering: NodeJS.Timeout | undefined;

  constructor(options: KeptServiceOptions) {
    this.#options = options;
  }

  /** The process, while it runs. */
  get process(): ServiceProcess | undefined {
    return this.#process;
  }

  /** Returns the process, and starts it if it is not running. Call it under the mutex. */
  async running(): Promise<ServiceProcess> {
    if (this.#process) return this.#process;
    const { start, needed, ended } = this.#options;
    const started = await start();
    this.#process = started;
    const since = Date.now();
    void started.ended.then((how) => {
      if (this.#process !== started) return;
      this.#process = undefined;
      if (Date.now() - since > RESTARTS.maxMs) this.#backoff = RESTARTS.firstMs;
      if (!needed()) return;
      ended(how, started.pid);
      this.#later();
    });
    return started;
  }

  /** Calls `mend` now, and again with back-off until nothing is missing. Call it under the mutex. */
  async mend(): Promise<void> {
    if (await this.#options.mend()) this.#backoff = Math.max(RESTARTS.firstMs, this.#backoff / 2);
    else this.#later();
  }

  /** Ends the process after a while, unless it is needed by then. */
  linger(): void {
    clearTimeout(this.#lingering);
    this.#lingering = setTimeout(() => void this.endIdle(), this.#options.lingerMs).unref();
  }

  /** Ends the process if it is not needed. */
  endIdle(): Promise<void> {
    return this.#options.mutex.run(async () => {
      if (this.#options.needed()) return;
      clearTimeout(this.#lingering);
      clearTimeout(this.#mending);
      this.#mending = undefined;
      const ending = this.#process;
      this.#process = undefined;
      ending?.end();
      await ending?.ended;
    });
  }

  #later(): void {
    if (this.#mending) return;
    this.#mending = setTimeout(() => {
      this.#mending = undefined;
      void this.#options.mutex.run(() => this.mend());
    }, this.#backoff).unref();
    this.#backoff = Math.min(this.#backoff * 2, RESTARTS.maxMs);
  }
}
