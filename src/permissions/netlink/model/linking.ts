/** Creates and deletes the model's links. */
import type { LinkSpec } from "../link-spec.js";
import { headersOf } from "../rules-mtu.js";
import { resize } from "./addressing.js";
import { KernelRefusal, NO_DEVICE } from "./refusals.js";
import { forgetParts } from "./remotes.js";
import type { ModelLink, ModelNamespace } from "./world.js";

const EXISTS = "RTNETLINK answers: File exists";
const ETHERNET = 1500;

/** Creates a link, down and without addresses. */
export function makeLink(spec: LinkSpec, space: ModelNamespace, randomMac: () => string): void {
  const parentName = spec.kind === "macvlan" || spec.kind === "vxlan" ? spec.parent : undefined;
  const parent = parentName === undefined ? undefined : space.links.get(parentName);
  if (parentName !== undefined && !parent) throw new KernelRefusal(`${NO_DEVICE} "${parentName}"`);
  if (space.links.has(spec.name)) throw new KernelRefusal(EXISTS);
  if (spec.kind === "veth" && (space.links.has(spec.peer) || spec.peer === spec.name)) throw new KernelRefusal(EXISTS);
  if (spec.kind === "macvlan" && parent) refuseParent(spec.mode, parent);
  const tunnel = spec.kind === "vxlan" ? { vni: spec.vni, port: spec.port ?? 4789 } : undefined;
  if (tunnel) {
    const same = [...space.links.values()].some(
      (one) => one.tunnel?.vni === tunnel.vni && one.tunnel.port === tunnel.port,
    );
    if (same) throw new KernelRefusal("Error: A VXLAN device with the specified VNI already exists.");
  }

  const link = (name: string, mac: string | undefined): ModelLink => ({
    name,
    ifindex: space.nextIndex(),
    kind: spec.kind,
    up: false,
    mtu: spec.mtu ?? defaultMtu(spec, parent),
    mac: mac ?? (spec.kind === "macvlan" && spec.mode === "passthru" ? (parent?.mac ?? "") : randomMac()),
    master: undefined,
    alias: undefined,
    addresses: [],
    peer: undefined,
    parent,
    mode: spec.kind === "macvlan" ? spec.mode : undefined,
    tunnel,
    mtuByHand: false,
    macByHand: mac !== undefined,
    space,
  });
  // The kernel creates a veth's second end first.
  const peer = spec.kind === "veth" ? link(spec.peer, spec.peerMac) : undefined;
  const made = link(spec.name, spec.mac);
  if (peer) {
    made.peer = peer;
    peer.peer = made;
    space.links.set(peer.name, peer);
  }
  space.links.set(made.name, made);
}

/** Refuses a parent that has a master, and a second macvlan beside one with passthru. */
function refuseParent(mode: string, parent: ModelLink): void {
  if (parent.master !== undefined) throw new KernelRefusal("RTNETLINK answers: Device or resource busy");
  const others = [...parent.space.links.values()].filter((one) => one.parent === parent && one.kind === "macvlan");
  if (others.some((one) => one.mode === "passthru") || (mode === "passthru" && others.length > 0)) {
    throw new KernelRefusal("RTNETLINK answers: Invalid argument");
  }
}

function defaultMtu(spec: LinkSpec, parent: ModelLink | undefined): number {
  if (spec.kind === "macvlan") return parent?.mtu ?? ETHERNET;
  if (spec.kind !== "vxlan" || !parent) return ETHERNET;
  return parent.mtu - headersOf(spec);
}

/** Deletes a link, its peer, and the links whose parent it is. */
export function deleteLink(link: ModelLink): void {
  const { space } = link;
  if (space.links.get(link.name) !== link) return;
  space.links.delete(link.name);
  space.routes = space.routes.filter(({ dev }) => dev !== link.name);
  forgetParts(link.name, space);
  for (const other of [...space.links.values()]) {
    if (other.master === link.name) other.master = undefined;
    if (other.parent === link && other.kind === "macvlan") deleteLink(other);
  }
  const master = link.master === undefined ? undefined : space.links.get(link.master);
  if (master) followPorts(master);
  if (link.peer) deleteLink(link.peer);
}

/** Gives a bridge the lowest MTU and the lowest MAC of its ports, unless they were set. */
export function followPorts(bridge: ModelLink): void {
  const ports = [...bridge.space.links.values()].filter(({ master }) => master === bridge.name);
  if (!bridge.mtuByHand) resize(bridge, ports.length === 0 ? ETHERNET : Math.min(...ports.map(({ mtu }) => mtu)));
  const [lowest] = ports.map(({ mac }) => mac).sort();
  if (!bridge.macByHand && lowest !== undefined) bridge.mac = lowest;
}
