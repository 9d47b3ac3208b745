/** Changes as lines for `ip -batch`. */
import type { Change, PartChange } from "../backend.js";
import type { LinkSpec } from "../link-spec.js";

/**
 * Returns one line. Checks again, after the rules, that each word is only a word to `ip`: no option, quote, comment, space or newline.
 * Throws a plain Error.
 */
export function lineOf(change: Change): string {
  const words = wordsOf(change);
  const odd = words.find(
    (word) => !/^[A-Za-z0-9_/][A-Za-z0-9:._@/-]*$/.test(word) && !/^::[0-9a-f:]*(\/\d+)?$/.test(word),
  );
  if (odd !== undefined) throw new Error(`${JSON.stringify(odd)} cannot be a word of an ip command`);
  return words.join(" ");
}

function wordsOf(change: Change): readonly string[] {
  switch (change.op) {
    case "add":
      return addWords(change.link);
    case "alias":
      return ["link", "set", "dev", change.name, "alias", change.alias];
    case "up":
    case "down":
      return ["link", "set", "dev", change.name, change.op];
    case "delete":
      return ["link", "delete", "dev", change.name];
    case "master":
      return [
        "link",
        "set",
        "dev",
        change.name,
        ...(change.master === null ? ["nomaster"] : ["master", change.master]),
      ];
    case "mtu":
      return ["link", "set", "dev", change.name, "mtu", String(change.mtu)];
    case "mac":
      return ["link", "set", "dev", change.name, "address", change.mac];
    case "addAddress":
      // With duplicate detection an address is unusable for seconds; on a bridge without ports, permanently.
      return ["address", "add", change.address, "dev", change.name, ...(change.address.includes(":") ? ["nodad"] : [])];
    case "deleteAddress":
      return ["address", "delete", change.address, "dev", change.name];
    case "addRoute":
    case "deleteRoute": {
      const via = change.via === undefined ? [] : ["via", change.via];
      return ["route", change.op === "addRoute" ? "add" : "delete", change.destination, ...via, "dev", change.dev];
    }
    case "setForward":
    case "deleteForward":
    case "setNeighbour":
    case "deleteNeighbour":
    case "setRoute":
    case "unsetRoute":
      return partWords(change);
    case "move":
      return ["link", "set", "dev", change.name, "netns", change.netns];
    case "rename":
      return ["link", "set", "dev", change.name, "name", change.to];
    case "look":
      return ["link", "show", "dev", change.name];
  }
}

/** Returns the program of iproute2 that carries out a change. */
export function toolOf({ op }: Change): "ip" | "bridge" {
  return op === "setForward" || op === "deleteForward" ? "bridge" : "ip";
}

function partWords(part: PartChange): readonly string[] {
  const { op, name } = part;
  switch (op) {
    case "setForward":
      return ["fdb", "replace", part.mac, "dev", name, "dst", part.host, "self", "permanent"];
    case "deleteForward":
      return ["fdb", "delete", part.mac, "dev", name, "dst", part.host, "self"];
    case "setNeighbour":
      return ["neighbour", "replace", part.ip, "lladdr", part.mac, "dev", name, "nud", "permanent"];
    case "deleteNeighbour":
      return ["neighbour", "delete", part.ip, "dev", name];
    case "setRoute":
      // The vxlan's own address is a single one, so the kernel would not find the gateway by itself.
      return ["route", "replace", part.destination, "via", part.via, "dev", name, "onlink"];
    case "unsetRoute":
      return ["route", "delete", part.destination, "via", part.via, "dev", name];
  }
}

function addWords(link: LinkSpec): readonly string[] {
  const first = ["link", "add", "name", link.name];
  const shape = [
    ...(link.mtu === undefined ? [] : ["mtu", String(link.mtu)]),
    ...(link.mac === undefined ? [] : ["address", link.mac]),
  ];
  switch (link.kind) {
    case "bridge":
      return [...first, ...shape, "type", "bridge"];
    case "veth":
      return [
        ...first,
        ...shape,
        "type",
        "veth",
        "peer",
        "name",
        link.peer,
        ...(link.mtu === undefined ? [] : ["mtu", String(link.mtu)]),
        ...(link.peerMac === undefined ? [] : ["address", link.peerMac]),
      ];
    case "macvlan":
      return [
        ...first,
        "link",
        link.parent,
        ...shape,
        "type",
        "macvlan",
        "mode",
        link.mode,
        // Otherwise passthru would make the parent promiscuous.
        ...(link.mode === "passthru" ? ["nopromisc"] : []),
      ];
    case "vxlan":
      return [
        ...first,
        ...shape,
        "type",
        "vxlan",
        "id",
        String(link.vni),
        ...(link.remote === undefined ? [] : ["remote", link.remote]),
        ...(link.local === undefined ? [] : ["local", link.local]),
        ...(link.parent === undefined ? [] : ["dev", link.parent]),
        "dstport",
        String(link.port ?? 4789),
        // Otherwise it learns remotes from incoming packets, and replies to any sender.
        "nolearning",
      ];
  }
}
