/**
 * Endpoints that their engine has forgotten: it crashed, or its last word of them was lost with a daemon that was killed (a request
 * that is tried again comes without its body). It never asks for them again, so they are looked for.
 */
import { existsSync, statfsSync } from "node:fs";
import { dirname } from "node:path";
import type { CallOptions } from "../driverapi/types.js";
import type { EndpointRecord } from "../host/calls/records.js";
import type { TypeView } from "../host/type-view.js";
import type { DriverCalls } from "./driver-calls.js";

/** The file system that network namespaces are files of (linux/magic.h). */
const NSFS = 0x6e736673;

/** One network type's; it remembers from look to look. */
export class Collector {
  /** Endpoints that were joined to nothing at the last look. */
  #idle: ReadonlySet<string> = new Set();

  /**
   * Leaves and deletes every endpoint whose sandbox is gone, or that has been joined to nothing since the last look: an engine joins
   * what it has created, and deletes what it has left, at once. Gives their ids. Rejects with the first failure.
   */
  async collect(calls: DriverCalls, view: TypeView, call: CallOptions): Promise<readonly string[]> {
    const before = this.#idle;
    const idle = new Set<string>();
    this.#idle = idle;
    const dropped: string[] = [];
    for (const { nid, endpoints } of [...view.networks()]) {
      for (const endpoint of [...endpoints.values()]) {
        const isIdle = endpoint.join === undefined;
        if (isIdle) idle.add(`${nid} ${endpoint.eid}`);
        if (!hasLostSandbox(endpoint) && !(isIdle && before.has(`${nid} ${endpoint.eid}`))) continue;
        await calls.drop(nid, endpoint, call);
        dropped.push(endpoint.eid);
      }
    }
    return dropped;
  }
}

/** True when an endpoint was joined to a sandbox that is no more. Where sandboxes cannot be seen at all, none is. */
export function hasLostSandbox({ join }: EndpointRecord): boolean {
  const path = join?.phase === "live" ? join.sboxKey : "";
  if (!path.startsWith("/") || !existsSync(dirname(path))) return false;
  try {
    // An engine that crashed leaves the file behind, with nothing bound to it.
    return statfsSync(path).type !== NSFS;
  } catch {
    return true;
  }
}
