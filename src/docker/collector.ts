/**
 * Collects endpoints that their engine has forgotten: it crashed, or its last request was lost with a killed daemon (a retried
 * request arrives without its body). The engine never mentions them again.
 */
import type { CallOptions } from "../driverapi/types.js";
import type { TypeView } from "../host/type-view.js";
import type { DriverCalls } from "./driver-calls.js";
import { sandboxState } from "./sandbox-state.js";

/** The collector of one network type; it remembers the suspects of its last run. */
export class Collector {
  /** Endpoints that seemed forgotten in the last run. */
  #suspects: ReadonlySet<string> = new Set();

  /**
   * Leaves and deletes every endpoint that had no living sandbox in the last run either: an engine joins, leaves and deletes without
   * delay. Returns their ids. Rejects with the first failure.
   */
  async collect(calls: DriverCalls, view: TypeView, call: CallOptions): Promise<readonly string[]> {
    const before = this.#suspects;
    const suspects = new Set<string>();
    this.#suspects = suspects;
    const dropped: string[] = [];
    for (const { nid, endpoints } of [...view.networks()]) {
      for (const endpoint of [...endpoints.values()]) {
        const state = sandboxState(endpoint);
        // An engine has not forgotten what an operator made.
        if (endpoint.byHand || (state !== "none" && state !== "gone")) continue;
        const suspect = JSON.stringify([nid, endpoint.eid, endpoint.join?.sboxKey]);
        suspects.add(suspect);
        if (!before.has(suspect)) continue;
        await calls.drop(nid, endpoint, call);
        dropped.push(endpoint.eid);
      }
    }
    return dropped;
  }
}
