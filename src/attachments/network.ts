/** A platform's network at the driver: created when the first container is attached, deleted after the last one. */
import { isDeepStrictEqual } from "node:util";
import { escapeLine } from "../common/escape.js";
import { shortList } from "../common/text.js";
import { DriverError } from "../driverapi/errors.js";
import type { JsonObject, JsonText } from "../driverapi/json.js";
import { exclusively } from "../sandbox/keyed-mutex.js";
import type { Attachment, NetworkSpec, PoolSpec } from "./attachment.js";
import { ignoreMissing, type ServedType } from "./endpoint.js";

/** The keys under which an engine passes the same. */
const GENERIC = "com.docker.network.generic";
const IPAM = "com.docker.network.ipam";
const INTERNAL = "com.docker.network.internal";
const IPV6 = "com.docker.network.enable_ipv6";

/** Returns the options of createNetwork, in the form of a Docker engine. */
function networkOptions({ options, pools, internal }: NetworkSpec): JsonObject {
  const of = (six: boolean): readonly PoolSpec[] => pools.filter(({ subnet }) => subnet.includes(":") === six);
  return {
    [GENERIC]: options,
    [IPV6]: of(true).length > 0,
    [IPAM]: { ipv4: of(false).map(poolData), ipv6: of(true).map(poolData) },
    ...(internal ? { [INTERNAL]: true } : {}),
  };
}

function poolData({ subnet, gateway }: PoolSpec): JsonObject {
  const prefix = subnet.slice(subnet.indexOf("/"));
  return {
    AddressSpace: "",
    Pool: subnet,
    Gateway: gateway === undefined ? "" : `${gateway}${prefix}`,
    AuxAddresses: {},
  };
}

/**
 * Creates the network if the driver does not have it. Replaces one with other options if no other attachment uses it.
 * `others`: returns the attachments that use it besides the one that is being made. Rejects with `ERR_NETWORK_EXISTS`.
 */
export async function ensureNetwork(
  { driver, view }: ServedType,
  nid: string,
  spec: NetworkSpec,
  others: () => readonly Attachment[],
): Promise<void> {
  const options = networkOptions(spec);
  await exclusively(`network ${nid}`, async () => {
    const known = view.network(nid);
    if (known?.phase === "live" && known.failed === undefined && isSame(known.options, options)) return;
    if (known) {
      const users = others().map(({ container }) => escapeLine(container, 64));
      if (users.length > 0)
        throw new DriverError(
          "ERR_NETWORK_EXISTS",
          `network "${escapeLine(spec.name, 64)}" has other options while containers use it: ${shortList(users)}; remove those first, or give the new network another name`,
          { driver: spec.type },
        );
      await ignoreMissing(driver.deleteNetwork(nid));
    }
    await driver.createNetwork(nid, options);
  });
}

/** Deletes the network if nothing uses it. A driver that keeps its network, such as `null`, is not an error. */
export async function releaseNetwork({ driver, view }: ServedType, nid: string, isUsed: () => boolean): Promise<void> {
  await exclusively(`network ${nid}`, async () => {
    const known = view.network(nid);
    if (!known || isUsed() || known.endpoints.size > 0) return;
    try {
      await driver.deleteNetwork(nid);
    } catch (error) {
      if (!(error instanceof DriverError && (error.kind === "NotFound" || error.kind === "Forbidden"))) throw error;
    }
  });
}

function isSame(recorded: JsonText, options: JsonObject): boolean {
  return recorded === JSON.stringify(options) || isDeepStrictEqual(JSON.parse(recorded), options);
}
