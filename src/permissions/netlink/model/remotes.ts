/** The model's remote hosts: forwarding entries, permanent neighbours, and routes by way of them. */
import type { PartChange } from "../backend.js";
import { networkOf } from "../cidr.js";
import { KernelRefusal } from "./refusals.js";
import type { ModelLink, ModelNamespace } from "./world.js";

/** Sets or deletes one entry. The rules have seen to it that the link is a vxlan, and up when an entry is set. */
export function changePart(part: PartChange, link: ModelLink, space: ModelNamespace): void {
  const { name } = part;
  switch (part.op) {
    case "setForward":
      space.forwards = space.forwards.filter(({ dev, mac }) => dev !== name || mac !== part.mac);
      space.forwards.push({ dev: name, mac: part.mac, host: part.host });
      break;
    case "deleteForward":
      space.forwards = without(
        space.forwards,
        ({ dev, mac }) => dev === name && mac === part.mac,
        "No such file or directory",
      );
      break;
    case "setNeighbour":
      space.neighbours = space.neighbours.filter(({ dev, ip }) => dev !== name || ip !== part.ip);
      space.neighbours.push({ dev: name, ip: part.ip, mac: part.mac });
      break;
    case "deleteNeighbour":
      space.neighbours = without(
        space.neighbours,
        ({ dev, ip }) => dev === name && ip === part.ip,
        "No such file or directory",
      );
      break;
    case "setRoute": {
      if (!link.up) {
        const six = networkOf(part.destination).family === 6;
        throw new KernelRefusal(six ? "Error: Nexthop device is not up." : "Error: Device for nexthop is not up.");
      }
      const { destination, via } = part;
      space.routes = space.routes.filter((one) => one.destination !== destination);
      space.routes.push({ destination, via, dev: name, connected: false });
      break;
    }
    case "unsetRoute":
      space.routes = without(
        space.routes,
        (one) => one.dev === name && one.destination === part.destination && one.via === part.via,
        "No such process",
      );
  }
}

/** Removes a deleted link's entries. */
export function forgetParts(name: string, space: ModelNamespace): void {
  space.forwards = space.forwards.filter(({ dev }) => dev !== name);
  space.neighbours = space.neighbours.filter(({ dev }) => dev !== name);
}

function without<T>(list: readonly T[], matches: (one: T) => boolean, words: string): T[] {
  if (!list.some(matches)) throw new KernelRefusal(`RTNETLINK answers: ${words}`);
  return list.filter((one) => !matches(one));
}
