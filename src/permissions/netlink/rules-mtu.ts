/** The rule for a link's MTU. Below IPv6's minimum the kernel removes IPv6 from a link, and later restores it with its own defaults. */
import type { Family } from "../../driverapi/addresses.js";
import { networkOf } from "./cidr.js";
import type { LinkSpec, VxlanSpec } from "./link-spec.js";
import type { NetlinkRequest } from "./request.js";
import type { Rule, Situation } from "./rule.js";
import { parentOf } from "./rules-links.js";

/** In bytes. IPv4 needs 68, IPv6 `leastIPv6`; the maximum is a jumbo frame. */
export const MTU = { least: 68, leastIPv6: 1280, most: 9216 } as const;

/** Bytes of a tunnel's headers. */
const VXLAN_HEADERS: Readonly<Record<Family, number>> = { 4: 50, 6: 70 };

export const MTU_RULES: readonly Rule[] = [
  {
    id: "mtu",
    refuses:
      "an MTU below 68, above 9216, or above the parent's; below 1280 with an IPv6 address, or on a bridge that has more",
    check(request, situation) {
      return (
        outOfRange(request, situation) ?? tooSmallForIPv6(request, situation) ?? dragsItsBridge(request, situation)
      );
    },
  },
];

function outOfRange(request: NetlinkRequest, situation: Situation): string | undefined {
  const link = request.op === "createLink" ? request.link : undefined;
  const mtu = link?.mtu ?? (request.op === "setLink" ? request.settings.mtu : undefined);
  if (mtu === undefined) return undefined;
  const most = mostMtu(link ?? (request.op === "setLink" ? situation.own(request.name)?.spec : undefined), situation);
  return mtu >= MTU.least && mtu <= most ? undefined : `the mtu ${mtu} must be from ${MTU.least} to ${most}`;
}

function tooSmallForIPv6(request: NetlinkRequest, { view }: Situation): string | undefined {
  if (request.op === "addAddress") {
    const mtu = view.links.get(request.name)?.mtu ?? MTU.most;
    if (mtu >= MTU.leastIPv6 || networkOf(request.address).family === 4) return undefined;
    return `${request.address} needs an mtu of ${MTU.leastIPv6} or more, and ${request.name} has ${mtu}`;
  }
  if (request.op === "setRemote") {
    const mtu = view.links.get(request.name)?.mtu ?? MTU.most;
    const six = request.remote.routes.find(({ destination }) => destination.includes(":"));
    if (mtu >= MTU.leastIPv6 || six === undefined) return undefined;
    return `${six.destination} needs an mtu of ${MTU.leastIPv6} or more, and ${request.name} has ${mtu}`;
  }
  const { mtu } = request.op === "setLink" ? request.settings : {};
  if (request.op !== "setLink" || mtu === undefined || mtu >= MTU.leastIPv6) return undefined;
  const six = view.links.get(request.name)?.addresses.find(({ ip }) => ip.includes(":") && !ip.startsWith("fe80:"));
  if (six === undefined) return undefined;
  return `the mtu ${mtu} is below ${MTU.leastIPv6}, and ${request.name} has the IPv6 address ${six.ip}`;
}

/** A bridge whose MTU was not set takes its ports' lowest: it would lose IPv6, and later listen to router advertisements. */
function dragsItsBridge(request: NetlinkRequest, { view }: Situation): string | undefined {
  if (request.op !== "setLink") return undefined;
  const port = view.links.get(request.name);
  const { mtu = port?.mtu, master = port?.master } = request.settings;
  const bridge = typeof master === "string" ? view.links.get(master) : undefined;
  if (mtu === undefined || mtu >= MTU.leastIPv6 || bridge === undefined || bridge.mtu < MTU.leastIPv6) return undefined;
  return `the mtu ${mtu} is below ${MTU.leastIPv6}, and its bridge ${bridge.name} has ${bridge.mtu}; set the bridge's first`;
}

/** Returns the most that a link's MTU may be. */
export function mostMtu(link: LinkSpec | undefined, { view }: Situation): number {
  const parent = parentOf(link);
  const above = parent === undefined ? undefined : view.links.get(parent)?.mtu;
  if (above === undefined) return MTU.most;
  return Math.min(MTU.most, link?.kind === "vxlan" ? above - headersOf(link) : above);
}

/** Returns the bytes by which a tunnel's packets grow: by the family of its ends. */
export function headersOf({ local, remote }: VxlanSpec): number {
  return VXLAN_HEADERS[(local ?? remote)?.includes(":") ? 6 : 4];
}
