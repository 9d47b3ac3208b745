/** Calls a neighbour again and again while an attack goes on: each must be answered, rightly, and in good time. */
import { strict as assert } from "node:assert";
import { setTimeout as sleep } from "node:timers/promises";
import type { HostedDriver } from "#dist/driverapi/types.js";

/** Half of what the neighbour's own deadline allows: room for a busy machine, none for a stalled host. */
const GOOD_TIME_MS = 2500;
/** Pause between two calls. */
const PAUSE_MS = 10;

export class Pulse {
  longestMs = 0;
  calls = 0;
  readonly #driver: HostedDriver;
  readonly #loop: Promise<void>;
  #stopped = false;
  #wrong: string | undefined;

  constructor(driver: HostedDriver) {
    this.#driver = driver;
    this.#loop = this.#beat();
  }

  /** Waits for `n` further answers: the neighbour is served now, not only before. */
  async answers(n: number): Promise<void> {
    const until = this.calls + n;
    while (this.calls < until && this.#wrong === undefined) await sleep(PAUSE_MS);
    this.#check();
  }

  /** Stops, and throws if any call went wrong or was late. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#loop;
    this.#check();
    assert.ok(this.longestMs < GOOD_TIME_MS, `a call to the neighbour took ${Math.round(this.longestMs)} ms`);
  }

  #check(): void {
    assert.equal(this.#wrong, undefined, `the neighbour: ${this.#wrong}`);
  }

  async #beat(): Promise<void> {
    while (!this.#stopped && this.#wrong === undefined) {
      const started = performance.now();
      try {
        const answer = await this.#driver.endpointOperInfo("net", "end");
        this.longestMs = Math.max(this.longestMs, performance.now() - started);
        this.calls++;
        assert.deepEqual({ ...answer }, { nid: "net", eid: "end", calls: this.calls });
      } catch (error) {
        this.#wrong = error instanceof Error ? error.message : String(error);
      }
      await sleep(PAUSE_MS);
    }
  }
}
