/** The entries that make up a remote host: one fdb entry, and for each route a permanent neighbour and the route itself. */
import type { NamespaceView, PartChange, Step, Unit } from "./backend.js";
import type { RemoteInfo, RemoteSpec } from "./remote-spec.js";

/** Returns what sets a remote. The route comes last, so that no packet takes it before there is a neighbour. */
export function partsOf(name: string, { host, mac, routes }: RemoteSpec): readonly PartChange[] {
  return [
    { op: "setForward", name, mac, host },
    ...routes.map(({ via }): PartChange => ({ op: "setNeighbour", name, ip: via, mac })),
    ...routes.map(({ destination, via }): PartChange => ({ op: "setRoute", name, destination, via })),
  ];
}

/** Sets `next` in place of `before`: removes the entries that only `before` has. */
export function setSteps(name: string, next: RemoteSpec, before: RemoteSpec | undefined, view: NamespaceView): Unit {
  const parts = partsOf(name, next);
  const kept = new Set(parts.map(keyOf));
  const stale = before === undefined ? [] : partsOf(name, before).filter((part) => !kept.has(keyOf(part)));
  return [
    ...removalSteps(stale, view),
    ...parts.map((change): Step => ({ change, undo: present(change, view) ?? deletion(change) })),
  ];
}

/** Removes entries that exist, the routes first. */
export function removalSteps(parts: readonly PartChange[], view: NamespaceView): Unit {
  return parts.toReversed().flatMap((part): Step[] => {
    const there = present(part, view);
    return there === undefined ? [] : [{ change: deletion(there), undo: there }];
  });
}

/** Says of a remote whether all its entries are as they were set. */
export function remoteInfo(name: string, remote: RemoteSpec, view: NamespaceView): RemoteInfo {
  return { ...remote, complete: partsOf(name, remote).every((part) => isThere(part, view)) };
}

function isThere(part: PartChange, view: NamespaceView): boolean {
  const there = present(part, view);
  return there !== undefined && JSON.stringify(deletion(there)) === JSON.stringify(deletion(part));
}

/** Two parts with the same key cannot exist together: the second takes the first one's place. */
function keyOf(part: PartChange): string {
  switch (part.op) {
    case "setForward":
    case "deleteForward":
      return `forward ${part.mac}`;
    case "setNeighbour":
    case "deleteNeighbour":
      return `neighbour ${part.ip}`;
    case "setRoute":
    case "unsetRoute":
      return `route ${part.destination}`;
  }
}

/** Returns what sets the entry that exists in a part's place; undefined if there is none. */
function present(part: PartChange, { routes, neighbours = [], forwards = [] }: NamespaceView): PartChange | undefined {
  const { name } = part;
  switch (part.op) {
    case "setForward":
    case "deleteForward": {
      const found = forwards.find(({ dev, mac }) => dev === name && mac === part.mac);
      return found && { op: "setForward", name, mac: found.mac, host: found.host };
    }
    case "setNeighbour":
    case "deleteNeighbour": {
      const found = neighbours.find(({ dev, ip }) => dev === name && ip === part.ip);
      return found && { op: "setNeighbour", name, ip: found.ip, mac: found.mac };
    }
    case "setRoute":
    case "unsetRoute": {
      const found = routes.find(({ dev, destination }) => dev === name && destination === part.destination);
      const via = found?.via[0];
      return via === undefined ? undefined : { op: "setRoute", name, destination: part.destination, via };
    }
  }
}

function deletion(part: PartChange): PartChange {
  switch (part.op) {
    case "setForward":
    case "deleteForward":
      return { op: "deleteForward", name: part.name, mac: part.mac, host: part.host };
    case "setNeighbour":
    case "deleteNeighbour":
      return { op: "deleteNeighbour", name: part.name, ip: part.ip, mac: part.mac };
    case "setRoute":
    case "unsetRoute":
      return { op: "unsetRoute", name: part.name, destination: part.destination, via: part.via };
  }
}
