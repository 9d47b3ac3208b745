/** Rules for the remote hosts of a vxlan: what one host gets must not be taken from the machine, a link or another host. */
import { quote } from "../../common/quote.js";
import { contains, networkOf, overlaps, specialRange } from "./cidr.js";
import type { LedgerRow } from "./ledger.js";
import { NETLINK } from "./limits.js";
import type { RemoteSpec } from "./remote-spec.js";
import type { NetlinkRequest } from "./request.js";
import type { Rule, Situation } from "./rule.js";
import { isAddress } from "./rules-addresses.js";

export const REMOTE_RULES: readonly Rule[] = [
  {
    id: "remote-link",
    refuses: "remote hosts of a link that is not a vxlan, or has a remote of its own, or is down",
    check(request, { view, own }) {
      if (!isOnRemote(request)) return undefined;
      const spec = own(request.name)?.spec;
      if (spec === undefined) return undefined;
      if (spec.kind !== "vxlan") return `${quote(request.name)} is a ${spec.kind}; only a vxlan has remote hosts`;
      if (spec.remote !== undefined) {
        return `${quote(request.name)} was created with the remote ${spec.remote}; create it with local instead`;
      }
      const down = request.op === "setRemote" && view.links.get(request.name)?.up === false;
      return down ? `${quote(request.name)} is down; set it up first` : undefined;
    },
  },
  {
    id: "remote-host",
    refuses: "a remote host of the other family than the link's local address, or with an address of this machine",
    check(request, { view, own }) {
      if (request.op !== "setRemote") return undefined;
      const { host } = request.remote;
      const spec = own(request.name)?.spec;
      const local = spec?.kind === "vxlan" ? spec.local : undefined;
      if (local !== undefined && networkOf(local).family !== networkOf(host).family) {
        return `the host ${quote(host)} is not of the family of ${quote(request.name)}'s local address ${local}`;
      }
      const link = [...view.links.values()].find(({ addresses }) => addresses.some(({ ip }) => ip === host));
      return link === undefined
        ? undefined
        : `the host ${quote(host)} is this machine: "${link.name}" has that address`;
    },
  },
  {
    id: "remote-overlap",
    refuses:
      "a network that overlaps another remote's or an own link's, or holds an end of a tunnel; a MAC of another remote",
    check(request, situation) {
      return request.op === "setRemote" ? overlapProblem(request.name, request.remote, situation) : undefined;
    },
  },
  {
    id: "remote-max",
    refuses: `more than ${NETLINK.remotesPerLink} remote hosts of one link`,
    check(request, { own }) {
      if (request.op !== "setRemote") return undefined;
      const others = remotesOf(own(request.name)).filter(({ host }) => host !== request.remote.host).length;
      return others < NETLINK.remotesPerLink
        ? undefined
        : `${quote(request.name)} has ${others} remote hosts, the most there can be; remove one first`;
    },
  },
];

/** Returns the remote hosts that are recorded of a link. */
export function remotesOf(row: LedgerRow | undefined): readonly RemoteSpec[] {
  return row?.remotes ?? [];
}

/** Returns why the machine's end of a tunnel, or a remote host, is refused; undefined if it is not. */
export function remoteProblem(remote: string, remotes: readonly string[]): string | undefined {
  if (!isAddress(remote, "plain")) return `the remote ${quote(remote)} is not an IP address`;
  const address = networkOf(remote);
  if (remotes.some((one) => contains(networkOf(one), address)) && !specialRange(address)) return undefined;
  return `the remote ${quote(remote)} is outside ${remotes.join(", ") || "the grant, whose remotes are empty"}`;
}

/** True for a request about the remote hosts of a link. */
export function isOnRemote(request: NetlinkRequest): request is NetlinkRequest & { readonly name: string } {
  return request.op === "setRemote" || request.op === "removeRemote" || request.op === "remotes";
}

function overlapProblem(name: string, remote: RemoteSpec, { view, own, owned }: Situation): string | undefined {
  const others = owned.flatMap((row) => remotesOf(row).filter(({ host }) => row.name !== name || host !== remote.host));
  const twin = others.find(
    ({ mac, host }) => mac === remote.mac && remotesOf(own(name)).some((one) => one.host === host),
  );
  if (twin !== undefined) return `the MAC ${quote(remote.mac)} is that of the remote ${twin.host}`;

  const ends = [
    remote.host,
    ...others.map(({ host }) => host),
    ...owned.flatMap(({ spec }) => (spec.kind === "vxlan" ? [spec.local ?? [], spec.remote ?? []].flat() : [])),
  ];
  const replaced = remotesOf(own(name)).find(({ host }) => host === remote.host)?.routes ?? [];
  const routes = view.routes.filter(
    ({ dev, destination }) =>
      dev !== undefined &&
      own(dev) !== undefined &&
      !(dev === name && replaced.some((one) => one.destination === destination)),
  );
  const addresses = [...view.links.values()].flatMap((link) => (own(link.name) === undefined ? [] : link.addresses));
  for (const [at, { destination }] of remote.routes.entries()) {
    const network = networkOf(destination);
    const hits = (text: string): boolean => overlaps(network, networkOf(text));
    const end = ends.find(hits);
    if (end !== undefined) return `${quote(destination)} holds ${end}, to which a tunnel leads`;
    const other = others.find((one) => one.routes.some((route) => hits(route.destination)));
    if (other !== undefined) return `${quote(destination)} overlaps a network of the remote ${other.host}`;
    const earlier = remote.routes.slice(0, at).find((route) => hits(route.destination));
    if (earlier !== undefined) return `${quote(destination)} overlaps ${earlier.destination} of the same remote`;
    const address = addresses.find(({ ip }) => hits(ip));
    if (address !== undefined) return `${quote(destination)} holds ${address.ip}, an address of the plugin's own links`;
    const routed = routes.find((route) => hits(route.destination));
    if (routed !== undefined) return `${quote(destination)} overlaps ${routed.destination}, a route of "${routed.dev}"`;
  }
  return undefined;
}
