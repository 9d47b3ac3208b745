/** Calls a neighbour again and again while an attack goes on: each must be answered, rightly, and in good time. */
import { strict as assert } from "node:assert";
import { setTimeout as sleep } from "node:timers/promises";
import type { HostedDriver } from "#dist/driverapi/types.js";

/** Less than the neighbour's own deadline of 5 s allows: room for `WALLS.closedMs`, a restart and a busy machine, none for a stalled host. */
const GOOD_TIME_MS = 4000;
/** Pause between two calls. */
const PAUSE_MS = 10;
/** How a neighbour's call may end whose host process went: with a clear error, never with a wrong answer. */
const DISTURBED = /^ERR_(OUTCOME_UNKNOWN|DRIVER_BUSY|DRIVER_TIMEOUT|PLUGIN_UNAVAILABLE)$/;

export class Pulse {
  longestMs = 0;
  /** Calls answered rightly. */
  calls = 0;
  readonly #mayBeDisturbed: boolean;
  readonly #driver: HostedDriver;
  readonly #loop: Promise<void>;
  #stopped = false;
  #wrong: string | undefined;

  /** `mayBeDisturbed`: it shares its process with the attacker. */
  constructor(driver: HostedDriver, mayBeDisturbed: boolean) {
    this.#mayBeDisturbed = mayBeDisturbed;
    this.#driver = driver;
    this.#loop = this.#beat();
  }

  /** Waits for `n` further answers: the neighbour is served now, not only before. */
  async answers(n: number): Promise<void> {
    const until = this.calls + n;
    while (this.calls < until && this.#wrong === undefined) await sleep(PAUSE_MS);
    this.#check();
  }

  /** What was wrong with an answer; undefined: nothing so far. */
  get wrong(): string | undefined {
    return this.#wrong;
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
    let count = 0;
    while (!this.#stopped && this.#wrong === undefined) {
      const started = performance.now();
      try {
        const answer = await this.#driver.endpointOperInfo("net", "end");
        this.longestMs = Math.max(this.longestMs, performance.now() - started);
        this.calls++;
        // One that was restarted counts from one, and was given what it had.
        count = this.#mayBeDisturbed && answer.calls === 1 ? 1 : count + 1;
        assert.deepEqual({ ...answer }, { nid: "net", eid: "end", calls: count, kept: "net,net/end", store: null });
      } catch (error) {
        const { code = "", message } = error as { code?: string; message: string };
        if (!this.#mayBeDisturbed || !DISTURBED.test(code)) this.#wrong = message;
      }
      await sleep(PAUSE_MS);
    }
  }
}
