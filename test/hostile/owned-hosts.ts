/** Several hosts whose workers an attacker owns, so that attacks go on side by side; made when first wanted, closed together. */
import { strict as assert } from "node:assert";
import { plugin } from "../kit/plugins.js";
import type { Isolation } from "./case.js";
import { type OwnedHost, ownedHost, unharmed } from "./owned-host.js";
import { type PlatformWatch, watchPlatform } from "./platform-watch.js";

/** Attacks at the same time: under "thread" one, since they are of this process. */
export const lanesOf = (isolation: Isolation): number => (isolation === "thread" ? 1 : 2);

export class OwnedHosts {
  readonly #isolation: Isolation;
  readonly #policy: Readonly<Record<string, unknown>>;
  readonly #hosts = new Map<number, Promise<OwnedHost>>();
  #watch: PlatformWatch | undefined;

  /** `policy`: the attacker's entry in it. */
  constructor(isolation: Isolation, policy: Readonly<Record<string, unknown>> = {}) {
    this.#isolation = isolation;
    this.#policy = policy;
  }

  /** The host of a lane. */
  of(lane: number): Promise<OwnedHost> {
    if (this.#isolation !== "thread") this.#watch ??= watchPlatform();
    let found = this.#hosts.get(lane);
    if (!found) {
      found = ownedHost(this.#isolation, plugin("mallory"), this.#policy);
      this.#hosts.set(lane, found);
    }
    return found;
  }

  /** Closes them and asserts that nothing is left; a line of figures. */
  async close(): Promise<string> {
    let slowest = 0;
    for (const host of this.#hosts.values()) {
      const one = await host;
      await one.close();
      unharmed(one);
      assert.equal(one.threads(), 0, "threads are alive");
      slowest = Math.max(slowest, one.pulse.longestMs);
    }
    const figures = await this.#watch?.done();
    return `a neighbour's slowest call took ${Math.round(slowest)} ms${figures ? `; the platform's loop stood still for ${figures.stallMs} ms at most, its memory grew by ${figures.grownMb} MiB` : ""}`;
  }
}
