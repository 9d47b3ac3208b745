/** Turns a plugin's arguments into a request: known fields only, each of its type, addresses in canonical form. */

import { quote } from "../../common/quote.js";
import { parseCIDR, parseDestination, parseIP, parseMAC } from "../../driverapi/addresses.js";
import { isJsonObject, type Json, type JsonObject } from "../../driverapi/json.js";
import { canonical, textIn, trueOrFalse, wholeNumber } from "../request-fields.js";
import { refused } from "./errors.js";
import type { LinkKind } from "./grant.js";
import { LINK_KINDS } from "./grant.js";
import { NETLINK } from "./limits.js";
import type { FirstSettings, LinkSettings, LinkSpec, RouteSpec } from "./link-spec.js";
import type { RemoteSpec } from "./remote-spec.js";

/** The methods of `powers.netlink`. */
export const NETLINK_OPS = [
  "createLink",
  "setLink",
  "deleteLink",
  "links",
  "addAddress",
  "deleteAddress",
  "addRoute",
  "deleteRoute",
  "setRemote",
  "removeRemote",
  "remotes",
] as const;
export type NetlinkOp = (typeof NETLINK_OPS)[number];

/** A link to create, and what is set on it at once. */
export interface CreateRequest {
  readonly op: "createLink";
  readonly link: LinkSpec;
  readonly first?: FirstSettings;
}

/** A request of the right shape, not yet checked against the grant. */
export type NetlinkRequest =
  | CreateRequest
  | { readonly op: "setLink"; readonly name: string; readonly settings: LinkSettings }
  | { readonly op: "deleteLink"; readonly name: string }
  | { readonly op: "links" }
  | { readonly op: "addAddress" | "deleteAddress"; readonly name: string; readonly address: string }
  | { readonly op: "addRoute" | "deleteRoute"; readonly route: RouteSpec }
  | { readonly op: "setRemote"; readonly name: string; readonly remote: RemoteSpec }
  | { readonly op: "removeRemote"; readonly name: string; readonly host: string }
  | { readonly op: "remotes"; readonly name: string };

type Type = "text" | "number" | "switch" | "text or null" | "mac" | "ip" | "network" | "addresses" | "remote routes";
type Shape = Readonly<Record<string, readonly [type: Type, need: "needed" | "optional"]>>;

const COMMON: Shape = {
  kind: ["text", "needed"],
  name: ["text", "needed"],
  mtu: ["number", "optional"],
  mac: ["mac", "optional"],
};

/** The fields of `createLink`, by kind. */
const LINK_SHAPES: Readonly<Record<LinkKind, Shape>> = {
  bridge: COMMON,
  veth: { ...COMMON, peer: ["text", "needed"], peerMac: ["mac", "optional"] },
  macvlan: { ...COMMON, parent: ["text", "needed"], mode: ["text", "needed"] },
  vxlan: {
    ...COMMON,
    vni: ["number", "needed"],
    remote: ["ip", "optional"],
    local: ["ip", "optional"],
    port: ["number", "optional"],
    parent: ["text", "optional"],
  },
};

const FIRST_SETTINGS: Shape = {
  addresses: ["addresses", "optional"],
  master: ["text", "optional"],
  up: ["switch", "optional"],
};

const SETTINGS: Shape = {
  up: ["switch", "optional"],
  master: ["text or null", "optional"],
  mtu: ["number", "optional"],
  mac: ["mac", "optional"],
};

const ROUTE: Shape = { destination: ["network", "needed"], via: ["ip", "optional"], dev: ["text", "needed"] };

const REMOTE: Shape = { host: ["ip", "needed"], mac: ["mac", "needed"], routes: ["remote routes", "needed"] };

const REMOTE_ROUTE: Shape = { destination: ["network", "needed"], via: ["ip", "needed"] };

/**
 * Reads one request. Throws `ERR_NETLINK_REFUSED`: rule `fields` for a field that does not exist (altname, netns, promisc, stp,
 * vlan_filtering, src, onlink, table), `shape` for one that is missing or of the wrong type, `kind` for an unknown kind. Addresses that
 * do not parse are kept unchanged, for the rules to refuse.
 */
export function parseRequest(plugin: string, op: NetlinkOp, args: readonly Json[]): NetlinkRequest {
  const reader = new Reader(plugin, op);
  const [first, second] = args;
  switch (op) {
    case "createLink": {
      const kind = isJsonObject(first ?? null) ? (first as JsonObject).kind : undefined;
      if (typeof kind === "string" && !(LINK_KINDS as readonly string[]).includes(kind)) {
        throw refused(plugin, op, "kind", `${quote(kind)} is not a kind of link; use one of ${LINK_KINDS.join(", ")}`);
      }
      const shape = typeof kind === "string" ? LINK_SHAPES[kind as LinkKind] : COMMON;
      const link = reader.object(first, shape, "the link") as unknown as LinkSpec;
      const isAlone = second === undefined || second === null;
      return isAlone
        ? { op, link }
        : { op, link, first: reader.object(second, FIRST_SETTINGS, "the first settings") as FirstSettings };
    }
    case "setLink": {
      const settings = reader.object(second, SETTINGS, "the settings") as LinkSettings;
      if (Object.keys(settings).length === 0) {
        throw refused(plugin, op, "shape", "no setting is given; give up, master, mtu or mac");
      }
      return { op, name: reader.text(first, "the name"), settings };
    }
    case "deleteLink":
      return { op, name: reader.text(first, "the name") };
    case "links":
      return { op };
    case "addAddress":
    case "deleteAddress":
      return {
        op,
        name: reader.text(first, "the name"),
        address: canonical(parseCIDR, reader.text(second, "the address")),
      };
    case "addRoute":
    case "deleteRoute":
      return { op, route: reader.object(first, ROUTE, "the route") as unknown as RouteSpec };
    case "setRemote": {
      const remote = reader.object(second, REMOTE, "the remote") as unknown as RemoteSpec;
      return { op, name: reader.text(first, "the name"), remote };
    }
    case "removeRemote":
      return { op, name: reader.text(first, "the name"), host: canonical(parseIP, reader.text(second, "the host")) };
    case "remotes":
      return { op, name: reader.text(first, "the name") };
  }
}

class Reader {
  readonly #plugin: string;
  readonly #op: string;
  readonly #shape = (why: string): Error => refused(this.#plugin, this.#op, "shape", why);

  constructor(plugin: string, op: string) {
    this.#plugin = plugin;
    this.#op = op;
  }

  text(value: Json | undefined, what: string): string {
    return textIn(what, value, this.#shape);
  }

  /** Copies the fields of `shape` into a new object; null and absent ones are left out. */
  object(value: Json | undefined, shape: Shape, what: string): JsonObject {
    if (value === undefined || !isJsonObject(value))
      throw this.#shape(`${what} must be an object, not ${quote(value)}`);
    for (const key of Object.keys(value)) {
      if (Object.hasOwn(shape, key)) continue;
      const known = Object.keys(shape).join(", ");
      throw refused(this.#plugin, this.#op, "fields", `${what} has no field ${quote(key)}; there are ${known}`);
    }
    const read: Record<string, Json> = {};
    for (const [key, [type, need]] of Object.entries(shape)) {
      const given = Object.hasOwn(value, key) ? value[key] : undefined;
      if (given === undefined || (given === null && type !== "text or null")) {
        if (need === "needed") throw this.#shape(`${what} needs the field ${key}`);
      } else read[key] = this.#field(key, type, given);
    }
    return read;
  }

  #field(key: string, type: Type, value: Json): Json {
    switch (type) {
      case "number":
        return wholeNumber(key, value, this.#shape);
      case "switch":
        return trueOrFalse(key, value, this.#shape);
      case "text or null":
        return value === null ? null : this.text(value, key);
      case "text":
        return this.text(value, key);
      case "mac":
        return canonical(parseMAC, this.text(value, key));
      case "ip":
        return canonical(parseIP, this.text(value, key));
      case "network":
        return canonical(parseDestination, this.text(value, key));
      case "addresses":
        if (Array.isArray(value) && value.length <= NETLINK.firstAddresses)
          return value.map((one: Json) => canonical(parseCIDR, this.text(one, "an address")));
        throw this.#shape(`${key} must be a list of at most ${NETLINK.firstAddresses} addresses, not ${quote(value)}`);
      case "remote routes":
        if (Array.isArray(value) && value.length > 0 && value.length <= NETLINK.routesPerRemote)
          return value.map((one: Json) => this.object(one, REMOTE_ROUTE, "a route of the remote"));
        throw this.#shape(`${key} must be a list of 1 to ${NETLINK.routesPerRemote} routes, not ${quote(value)}`);
    }
  }
}
