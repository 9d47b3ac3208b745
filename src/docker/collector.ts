/**
 * Endpoints that their engine has forgotten: it crashed, or its last word of them was lost with a daemon that was killed (a request
 * that is tried again comes without its body). It never asks for them again, so they are looked for.
 */
import type { CallOptions } from "../driverapi/types.js";
import type { TypeView } from "../host/type-view.js";
import type { DriverCalls } from "./driver-calls.js";
import { sandboxState } from "./sandbox-state.js";

/** One network type's; it remembers from look to look. */
export class Collector {
  /** What looked forgotten at the last look. */
  #suspects: ReadonlySet<string> = new Set();

  /**
   * Leaves and deletes every endpoint that has been joined to nothing, or to a sandbox that is gone, since the last look: an engine
   * joins what it has created and deletes what it has left at once, and makes a sandbox soon after Join. Gives their ids. Rejects with
   * the first failure.
   */
  async collect(calls: DriverCalls, view: TypeView, call: CallOptions): Promise<readonly string[]> {
    const before = this.#suspects;
    const suspects = new Set<string>();
    this.#suspects = suspects;
    const dropped: string[] = [];
    for (const { nid, endpoints } of [...view.networks()]) {
      for (const endpoint of [...endpoints.values()]) {
        const state = sandboxState(endpoint);
        if (state !== "none" && state !== "gone") continue;
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
