/** Carries out changes in the model, which fail as the kernel does and in its words (Linux 6.x, iproute2 6.1). */
import { randomBytes } from "node:crypto";
import type { Change } from "../backend.js";
import {
  addAddress,
  addRoute,
  bringUp,
  deleteAddress,
  deleteRoute,
  refuseTakenMac,
  resize,
  takeDown,
} from "./addressing.js";
import { deleteLink, followPorts, makeLink } from "./linking.js";
import { KernelRefusal, NO_DEVICE } from "./refusals.js";
import { changePart } from "./remotes.js";
import type { ModelLink, ModelNamespace, ModelWorld } from "./world.js";

/** Carries out one change. Throws `KernelRefusal`, having changed nothing. */
export function carryOut(change: Change, space: ModelNamespace, world: ModelWorld): void {
  switch (change.op) {
    case "add":
      makeLink(change.link, space, randomMac);
      break;
    case "addRoute":
      addRoute(change, find(space, change.dev), space);
      break;
    case "deleteRoute":
      find(space, change.dev);
      deleteRoute(change, space);
      break;
    default:
      changeLink(change, find(space, change.name), space, world);
  }
}

type LinkChange = Exclude<Change, { readonly op: "add" | "addRoute" | "deleteRoute" }>;

function changeLink(change: LinkChange, link: ModelLink, space: ModelNamespace, world: ModelWorld): void {
  switch (change.op) {
    case "look":
      break;
    case "alias":
      link.alias = change.alias;
      break;
    case "up":
      bringUp(link, space);
      break;
    case "down":
      takeDown(link, space);
      break;
    case "delete":
      deleteLink(link);
      break;
    case "master":
      setMaster(link, change.master, space);
      break;
    case "mtu":
      setMtu(link, change.mtu);
      break;
    case "mac":
      if (link.up) refuseTakenMac(link, change.mac);
      link.mac = change.mac;
      link.macByHand = true;
      break;
    case "addAddress":
      addAddress(link, change.address, space);
      break;
    case "deleteAddress":
      deleteAddress(link, change.address, space);
      break;
    case "setForward":
    case "deleteForward":
    case "setNeighbour":
    case "deleteNeighbour":
    case "setRoute":
    case "unsetRoute":
      changePart(change, link, space);
      break;
    case "move":
      move(link, world.namespace(change.netns));
      break;
    case "rename":
      rename(link, change.to);
  }
}

function find(space: ModelNamespace, name: string): ModelLink {
  const link = space.links.get(name);
  if (!link) throw new KernelRefusal(`${NO_DEVICE} "${name}"`);
  return link;
}

function setMtu(link: ModelLink, mtu: number): void {
  if (link.parent && link.kind === "macvlan" && mtu > link.parent.mtu) {
    throw new KernelRefusal("RTNETLINK answers: Invalid argument");
  }
  // The kernel then does nothing, so a bridge still follows its ports' MTU.
  if (mtu === link.mtu) return;
  resize(link, mtu);
  if (link.kind === "bridge") link.mtuByHand = true;
  const master = link.master === undefined ? undefined : link.space.links.get(link.master);
  if (master) followPorts(master);
  // A macvlan's MTU is never above its parent's.
  for (const one of link.space.links.values()) {
    if (one.parent === link && one.kind === "macvlan" && one.mtu > mtu) resize(one, mtu);
  }
}

function setMaster(link: ModelLink, master: string | null, space: ModelNamespace): void {
  const before = link.master === undefined ? undefined : space.links.get(link.master);
  if (master === null) {
    link.master = undefined;
  } else {
    const bridge = space.links.get(master);
    if (!bridge) throw new KernelRefusal(`Error: argument "${master}" is wrong: Device does not exist`);
    if (bridge.kind !== "bridge") throw new KernelRefusal("RTNETLINK answers: Operation not supported");
    if (link.kind === "bridge") throw new KernelRefusal("Error: Can not enslave a bridge to a bridge.");
    link.master = master;
    followPorts(bridge);
  }
  if (before && before.name !== master) followPorts(before);
}

/** Moves a link, which loses its addresses, routes and master, and goes down. */
function move(link: ModelLink, to: ModelNamespace): void {
  const from = link.space;
  if (to.links.has(link.name)) throw new KernelRefusal("RTNETLINK answers: File exists");
  takeDown(link, from);
  const master = link.master === undefined ? undefined : from.links.get(link.master);
  link.master = undefined;
  if (master) followPorts(master);
  link.addresses = [];
  from.links.delete(link.name);
  link.space = to;
  if ([...to.links.values()].some(({ ifindex }) => ifindex === link.ifindex)) link.ifindex = to.nextIndex();
  to.links.set(link.name, link);
}

function rename(link: ModelLink, to: string): void {
  if (link.space.links.has(to)) throw new KernelRefusal("RTNETLINK answers: File exists");
  for (const other of link.space.links.values()) if (other.master === link.name) other.master = to;
  link.space.routes = link.space.routes.map((route) => (route.dev === link.name ? { ...route, dev: to } : route));
  const moved = <T extends { dev: string }>(one: T): T => (one.dev === link.name ? { ...one, dev: to } : one);
  link.space.neighbours = link.space.neighbours.map(moved);
  link.space.forwards = link.space.forwards.map(moved);
  link.space.links.delete(link.name);
  link.name = to;
  link.space.links.set(to, link);
}

/** Returns a random MAC address, like the kernel's: unicast, locally administered. */
function randomMac(): string {
  const bytes = randomBytes(6);
  bytes[0] = ((bytes[0] ?? 0) & 0xfc) | 0x02;
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(":");
}
