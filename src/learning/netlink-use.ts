/** What a plugin uses of `netlink`: kinds, links at a time, networks, and what a macvlan or vxlan needs. */
import type { LinkSpec } from "../permissions/netlink/link-spec.js";
import type { NetlinkRequest } from "../permissions/netlink/request.js";
import { added } from "../permissions/netlink/rules-addresses.js";
import { noted } from "./noted.js";
import type { NetlinkUsage } from "./usage.js";

/** The port of a tunnel that named none: it gets the first one granted. */
export const FIRST_GRANTED = 0;

export class NetlinkUse {
  readonly #owns: (link: string) => boolean;
  readonly #names = new Set<string>();
  readonly #kinds = new Set<string>();
  readonly #networks = new Set<string>();
  readonly #parents = new Set<string>();
  readonly #remotes = new Set<string>();
  readonly #vnis = new Set<number>();
  readonly #ports = new Set<number>();
  #passthru = false;
  #most = 0;

  /** `owns`: true while the plugin has a link of that name. */
  constructor(owns: (link: string) => boolean) {
    this.#owns = owns;
  }

  hold(links: readonly { readonly name: string; readonly spec: LinkSpec }[], networks: readonly string[]): void {
    for (const { name, spec } of links) this.#link(spec, [name]);
    for (const network of networks) noted(this.#networks, network);
  }

  note(request: NetlinkRequest): void {
    if (request.op === "createLink") {
      const { link } = request;
      this.#link(link, link.kind === "veth" ? [link.name, link.peer] : [link.name]);
    }
    if (request.op === "setRemote") noted(this.#remotes, request.remote.host);
    for (const network of added(request)) noted(this.#networks, network);
  }

  /** Undefined: nothing was used. */
  get used(): NetlinkUsage | undefined {
    if (this.#kinds.size + this.#networks.size === 0) return undefined;
    return {
      kinds: [...this.#kinds],
      links: this.#most,
      networks: [...this.#networks],
      parents: [...this.#parents],
      passthru: this.#passthru,
      vnis: [...this.#vnis],
      remotes: [...this.#remotes],
      ports: [...this.#ports],
    };
  }

  #link(spec: LinkSpec, names: readonly string[]): void {
    // Links that a sandbox took with it, or another program deleted, are gone without a request.
    for (const name of this.#names) if (!this.#owns(name)) this.#names.delete(name);
    for (const name of names) this.#names.add(name);
    this.#most = Math.max(this.#most, this.#names.size);
    this.#kinds.add(spec.kind);
    if (spec.kind === "macvlan" || spec.kind === "vxlan") noted(this.#parents, spec.parent);
    if (spec.kind === "macvlan" && spec.mode === "passthru") this.#passthru = true;
    if (spec.kind !== "vxlan") return;
    noted(this.#vnis, spec.vni);
    noted(this.#remotes, spec.remote);
    noted(this.#ports, spec.port ?? FIRST_GRANTED);
  }
}
