/** The model's world: network namespaces by name, each with links, addresses and routes, as far as netlink's rules can tell. */
import type { AddressView } from "../backend.js";
import type { LinkEvents } from "../link-events.js";
import type { LinkSpec } from "../link-spec.js";

/** A link of the model. */
export interface ModelLink {
  name: string;
  ifindex: number;
  readonly kind: LinkSpec["kind"] | "loopback";
  up: boolean;
  mtu: number;
  mac: string;
  master: string | undefined;
  alias: string | undefined;
  addresses: AddressView[];
  /** The other end of a veth, wherever it is. */
  peer: ModelLink | undefined;
  /** The link a macvlan or vxlan stands on. */
  parent: ModelLink | undefined;
  mode: string | undefined;
  /** A vxlan's identifier and port. */
  tunnel: { readonly vni: number; readonly port: number } | undefined;
  /** A bridge whose MTU was set by hand does not take its ports'. */
  mtuByHand: boolean;
  macByHand: boolean;
  space: ModelNamespace;
}

/** A route of the model. */
export interface ModelRoute {
  readonly destination: string;
  readonly via: string | undefined;
  readonly dev: string;
  /** It came with an address, and goes with it. */
  readonly connected: boolean;
}

/** One namespace. */
export class ModelNamespace {
  readonly links: Map<string, ModelLink> = new Map();
  routes: ModelRoute[] = [];
  /** Who is told of links that come to another name, or go. */
  readonly watchers: Set<LinkEvents> = new Set();
  #lastIndex = 1;

  constructor() {
    const addresses = [
      { ip: "127.0.0.1", prefix: 8 },
      { ip: "::1", prefix: 128 },
    ];
    this.links.set("lo", {
      name: "lo",
      ifindex: 1,
      kind: "loopback",
      up: true,
      mtu: 65_536,
      mac: "00:00:00:00:00:00",
      master: undefined,
      alias: undefined,
      addresses,
      peer: undefined,
      parent: undefined,
      mode: undefined,
      tunnel: undefined,
      mtuByHand: false,
      macByHand: false,
      space: this,
    });
  }

  nextIndex(): number {
    return ++this.#lastIndex;
  }
}

/** All namespaces of one model; unknown ones come to be when they are first asked for. */
export class ModelWorld {
  readonly #namespaces = new Map<string, ModelNamespace>();

  /** A namespace by name or path; undefined: the process's own. `/run/netns/x` and `x` are one. */
  namespace(netns: string | undefined): ModelNamespace {
    const name = (netns ?? "").replace(/^(\/var)?\/run\/netns\//, "");
    let found = this.#namespaces.get(name);
    if (!found) {
      found = new ModelNamespace();
      this.#namespaces.set(name, found);
    }
    return found;
  }

  /** Every namespace that has been asked for. */
  all(): readonly ModelNamespace[] {
    return [...this.#namespaces.values()];
  }

  /** A namespace ends, with the links in it. */
  remove(netns: string): void {
    const space = this.namespace(netns);
    for (const link of space.links.values()) {
      if (link.peer) link.peer.space.links.delete(link.peer.name);
    }
    this.#namespaces.delete(netns.replace(/^(\/var)?\/run\/netns\//, ""));
  }
}
