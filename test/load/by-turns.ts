/** Compares two ways of running one driver within one round, by turns (A B B A), so that both meet the same moments of the machine. */
import { EndpointConfig } from "bulkhead";
import { closedLoop } from "#dist/load/closed-loop.js";
import { LOAD_NETWORK, loadRequest } from "#dist/load/request.js";
import type { House } from "./hosts.js";
import type { Figures } from "./row.js";

/** How often each side has its turn. */
const TURNS = 2;

export interface Loaded {
  /** Calls a second. */
  readonly perSecond: number;
  /** Microseconds. */
  readonly p50: number;
}

/** A host whose driver "load" creates endpoints, each once. */
export class LoadedHost {
  readonly #house: House;
  #next = 0;

  private constructor(house: House) {
    this.#house = house;
  }

  static async of(house: House): Promise<LoadedHost> {
    await house.host.driver("load").createNetwork(LOAD_NETWORK);
    return new LoadedHost(house);
  }

  /** Loads it for `ms` milliseconds. */
  async load(inFlight: number, ms: number): Promise<Loaded> {
    const driver = this.#house.host.driver("load");
    const { perSecond, latency, next } = await closedLoop(
      (n) => {
        const { nid, eid, options } = loadRequest(n);
        return driver.createEndpoint(nid, eid, new EndpointConfig(), options);
      },
      { inFlight, ms, first: this.#next },
    );
    this.#next = next;
    return { perSecond, p50: latency.p50 };
  }
}

/** Returns the mean of each side's turns. */
export async function byTurns(ours: () => Promise<number>, peer: () => Promise<number>): Promise<Figures> {
  const sums = { ours: 0, peer: 0 };
  for (let turn = 0; turn < TURNS; turn++)
    for (const side of turn % 2 === 0 ? (["ours", "peer"] as const) : (["peer", "ours"] as const))
      sums[side] += (await (side === "ours" ? ours() : peer())) / TURNS;
  return sums;
}
