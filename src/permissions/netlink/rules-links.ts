/** Rules for a link's properties: parent, tunnel, MAC address, bridge. */
import { quote } from "../../common/quote.js";
import { networkOf, specialRange } from "./cidr.js";
import type { LinkSpec } from "./link-spec.js";
import type { NetlinkRequest } from "./request.js";
import type { Rule } from "./rule.js";
import { isAddress } from "./rules-addresses.js";
import { remoteProblem } from "./rules-remotes.js";

export const LINK_RULES: readonly Rule[] = [
  {
    id: "parent",
    refuses: "a macvlan or vxlan on a link that the policy does not list",
    check(request, { limits }) {
      const parent = parentOf(linkOf(request));
      if (parent === undefined || limits.parents.includes(parent)) return undefined;
      return `the parent ${quote(parent)} is not granted; granted: ${limits.parents.join(", ") || "none"}`;
    },
  },
  {
    id: "mode",
    refuses: "macvlan modes other than bridge and private; passthru unless the policy grants it",
    check(request, { limits }) {
      const link = linkOf(request);
      if (link?.kind !== "macvlan" || link.mode === "bridge" || link.mode === "private") return undefined;
      if (link.mode === "passthru" && limits.passthru) return undefined;
      return `the mode ${quote(link.mode)} is not granted; granted: bridge, private${limits.passthru ? ", passthru" : ""}`;
    },
  },
  {
    id: "vni",
    refuses: "vxlan identifiers outside the range granted",
    check(request, { limits: { vniFrom = 1, vniTo = 0 } }) {
      const link = linkOf(request);
      if (link?.kind !== "vxlan" || (link.vni >= vniFrom && link.vni <= vniTo)) return undefined;
      return `the vni ${link.vni} is outside ${vniFrom} to ${vniTo}`;
    },
  },
  {
    id: "remote",
    refuses:
      "a vxlan's other end, or a remote host, outside the networks granted; a vxlan with neither remote nor local",
    check(request, { limits: { remotes } }) {
      if (request.op === "setRemote") return remoteProblem(request.remote.host, remotes);
      if (request.op === "removeRemote" && !isAddress(request.host, "plain"))
        return `the remote ${quote(request.host)} is not an IP address`;
      const link = linkOf(request);
      if (link?.kind !== "vxlan") return undefined;
      if (link.remote !== undefined) return remoteProblem(link.remote, remotes);
      if (link.local !== undefined) return undefined;
      return `a vxlan needs a remote, of ${remotes.join(", ")}, or local, the machine's own address, for setRemote`;
    },
  },
  {
    id: "local",
    refuses: "a vxlan's local address that the machine, or the vxlan's parent, does not have, or beside a remote",
    check(request, { view }) {
      const link = linkOf(request);
      if (link?.kind !== "vxlan" || link.local === undefined) return undefined;
      if (link.remote !== undefined) return "local goes without remote; give one of the two";
      const from = link.parent === undefined ? [...view.links.values()] : [view.links.get(link.parent) ?? []].flat();
      if (from.some(({ addresses }) => addresses.some(({ ip }) => ip === link.local)) && isOrdinary(link.local))
        return undefined;
      return `the local address ${quote(link.local)} is not one of ${link.parent === undefined ? "this machine" : quote(link.parent)}`;
    },
  },
  {
    id: "port",
    refuses: "UDP ports of the machine that are not granted to a vxlan",
    check(request, { limits: { ports } }) {
      const link = linkOf(request);
      if (link?.kind !== "vxlan" || link.port === undefined || ports.includes(link.port)) return undefined;
      return `the port ${link.port} is not granted; granted: ${ports.join(", ")}`;
    },
  },
  {
    id: "mac",
    refuses:
      "MAC addresses that are not unicast and locally administered; any on a passthru macvlan, whose address is its parent's",
    check(request, { own }) {
      const wrong = macsOf(request).find((mac) => !/^[0-9a-f][26ae](:[0-9a-f]{2}){5}$/.test(mac));
      if (wrong !== undefined) {
        return `the MAC ${quote(wrong)} must be a unicast, locally administered one, such as 02:42:0a:40:00:02`;
      }
      const link = linkOf(request) ?? (request.op === "setLink" ? own(request.name)?.spec : undefined);
      const passthru = link?.kind === "macvlan" && link.mode === "passthru";
      return passthru && macsOf(request).length > 0
        ? "a passthru macvlan has its parent's MAC; leave mac out"
        : undefined;
    },
  },
  {
    id: "host-mac",
    refuses: "MAC addresses that a link of the machine or of another plugin has",
    check(request, { view, own }) {
      const macs = new Set(macsOf(request));
      if (macs.size === 0) return undefined;
      for (const link of view.links.values()) {
        const taken = [link.mac, link.permanentMac].find((mac) => mac !== undefined && macs.has(mac));
        if (taken !== undefined && own(link.name) === undefined) return `the MAC ${quote(taken)} is another link's`;
      }
      return undefined;
    },
  },
  {
    id: "master",
    refuses:
      "a master that is not a bridge; ports other than veth and vxlan; a veth with both ends on bridges, which is a loop",
    check(request, { view, own }) {
      if (request.op !== "setLink" || typeof request.settings.master !== "string") return undefined;
      const { master } = request.settings;
      const [bridge, port] = [own(master)?.spec, own(request.name)?.spec];
      if (bridge !== undefined && bridge.kind !== "bridge")
        return `${quote(master)} is not a bridge, but a ${bridge.kind}`;
      if (port === undefined) return undefined;
      if (port.kind !== "veth" && port.kind !== "vxlan") return `a ${port.kind} cannot be a bridge's port`;
      if (port.kind !== "veth") return undefined;
      const other = otherEnd(port, request.name);
      return view.links.get(other)?.master === undefined
        ? undefined
        : `its other end ${quote(other)} is on a bridge already`;
    },
  },
];

/** Returns the other end of a veth. */
export function otherEnd(spec: LinkSpec & { kind: "veth" }, name: string): string {
  return spec.name === name ? spec.peer : spec.name;
}

/** Returns the parent of a macvlan or vxlan. */
export function parentOf(link: LinkSpec | undefined): string | undefined {
  return link?.kind === "macvlan" || link?.kind === "vxlan" ? link.parent : undefined;
}

function isOrdinary(ip: string): boolean {
  return isAddress(ip, "plain") && specialRange(networkOf(ip)) === undefined;
}

function linkOf(request: NetlinkRequest): LinkSpec | undefined {
  return request.op === "createLink" ? request.link : undefined;
}

/** Returns the MAC addresses that a request sets, on links and of remote hosts. */
export function macsOf(request: NetlinkRequest): readonly string[] {
  const link = linkOf(request);
  const macs = [
    link?.mac,
    link?.kind === "veth" ? link.peerMac : undefined,
    request.op === "setLink" ? request.settings.mac : undefined,
    request.op === "setRemote" ? request.remote.mac : undefined,
  ];
  return macs.filter((mac) => mac !== undefined);
}
