/**
 * Finds endpoints that the engine has forgotten and that hold an address or a host port of a new one. They are deleted at once,
 * since an engine that was killed asks only once.
 */
import { DriverError } from "../driverapi/errors.js";
import type { JsonObject } from "../driverapi/json.js";
import type { InterfaceData } from "../driverapi/types.js";
import type { TypeView } from "../host/type-view.js";
import { addressesOf, conflictingPorts, type Holder, holdersOfAddresses, holdersOfPorts } from "./conflicts.js";
import { describeHolder } from "./engine-errors.js";
import { wantedPorts } from "./port-map.js";
import type { RecentEndpoints } from "./recent-endpoints.js";
import { sandboxState } from "./sandbox-state.js";

export interface ForgottenOptions {
  readonly view: TypeView;
  readonly recent: RecentEndpoints;
  /** The engine's own socket, asked for container names; undefined: none. */
  readonly engine: string | undefined;
}

/** Returns the forgotten endpoints that hold ports named in `options`. */
export async function forgottenWithPorts(
  { view, recent }: ForgottenOptions,
  eid: string,
  options: JsonObject,
): Promise<readonly Holder[]> {
  const wanted = wantedPorts(options);
  if (wanted.length === 0) return [];
  const holders = holdersOfPorts(view, conflictingPorts(await view.published(), wanted));
  return holders.filter(({ nid, endpoint }) => {
    if (endpoint.eid === eid || endpoint.byHand) return false;
    const state = sandboxState(endpoint);
    return state === "gone" || (state === "none" && !recent.has(nid, endpoint.eid));
  });
}

/**
 * Returns the forgotten endpoints that hold one of the addresses: the engine assigns addresses, so it has forgotten any endpoint
 * that still has one. Throws `ERR_ENDPOINT_IN_USE` for an endpoint whose sandbox lives, or that an operator made.
 */
export async function forgottenWithAddresses(
  { view, engine }: ForgottenOptions,
  nid: string,
  eid: string,
  given: readonly InterfaceData[],
): Promise<readonly Holder[]> {
  const forgotten: Holder[] = [];
  for (const holder of holdersOfAddresses(view, addressesOf(given))) {
    if (holder.nid === nid && holder.endpoint.eid === eid) continue;
    const state = holder.endpoint.byHand ? "kept" : sandboxState(holder.endpoint);
    // Separate networks may use the same addresses.
    if (state === "gone" || (holder.nid === nid && state !== "lives" && state !== "kept")) forgotten.push(holder);
    else if (holder.nid === nid)
      throw new DriverError(
        "ERR_ENDPOINT_IN_USE",
        `address ${holder.ip} is in use by ${await describeHolder(holder, engine)}; remove that ${holder.endpoint.byHand ? "endpoint" : "container"}, or choose another address`,
      );
  }
  return forgotten;
}
