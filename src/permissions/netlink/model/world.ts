/** The model's network namespaces, by name: links, addresses and routes, as far as netlink's rules need them. */
import type { AddressView, ForwardView, NeighbourView } from "../backend.js";
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
  /** The parent of a macvlan or vxlan. */
  parent: ModelLink | undefined;
  mode: string | undefined;
  /** A vxlan's identifier and port. */
  tunnel: { readonly vni: number; readonly port: number } | undefined;
  /** True for a bridge whose MTU was set and no longer follows its ports'. */
  mtuByHand: boolean;
  macByHand: boolean;
  space: ModelNamespace;
}

/** A route of the model. */
export interface ModelRoute {
  readonly destination: string;
  readonly via: string | undefined;
  readonly dev: string;
  /** True if it came with an address, and is removed with it. */
  readonly connected: boolean;
}

/** One namespace. */
export class ModelNamespace {
  readonly links: Map<string, ModelLink> = new Map();
  routes: ModelRoute[] = [];
  neighbours: NeighbourView[] = [];
  forwards: ForwardView[] = [];
  /** Called when links are renamed or deleted. */
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

/** All namespaces of one model; an unknown one is created when it is first requested. */
export class ModelWorld {
  readonly #namespaces = new Map<string, ModelNamespace>();

  /** Returns a namespace by name or path; undefined: the process's own. `/run/netns/x` and `x` are the same. */
  namespace(netns: string | undefined): ModelNamespace {
    const name = (netns ?? "").replace(/^(\/var)?\/run\/netns\//, "");
    let found = this.#namespaces.get(name);
    if (!found) {
      found = new ModelNamespace();
      this.#namespaces.set(name, found);
    }
    return found;
  }

  /** Returns every namespace that has been requested. */
  all(): readonly ModelNamespace[] {
    return [...this.#namespaces.values()];
  }

  /** Deletes a namespace, with the links in it. */
  remove(netns: string): void {
    const space = this.namespace(netns);
    for (const link of space.links.values()) {
      if (link.peer) link.peer.space.links.delete(link.peer.name);
    }
    this.#namespaces.delete(netns.replace(/^(\/var)?\/run\/netns\//, ""));
  }
}
