/** Links as a plugin requests them and as they are described to it. Types only. */
import type { LinkKind } from "./grant.js";

interface SpecOf<K extends LinkKind> {
  readonly kind: K;
  readonly name: string;
  /** Bytes, 68 and up; 1280 and up where the link has IPv6 addresses. */
  readonly mtu?: number;
  readonly mac?: string;
}

/** A pair of ends; `mtu` applies to both. */
export interface VethSpec extends SpecOf<"veth"> {
  readonly peer: string;
  readonly peerMac?: string;
}

/** A network card of its own on the machine's `parent`. */
export interface MacvlanSpec extends SpecOf<"macvlan"> {
  readonly parent: string;
  readonly mode: "bridge" | "private" | "passthru";
}

/** A tunnel over UDP. `port` absent: the first granted one. */
export interface VxlanSpec extends SpecOf<"vxlan"> {
  readonly vni: number;
  /** The only address that packets are sent to. Left out: `local` is required, and `setRemote` sets the other ends. */
  readonly remote?: string;
  /** The machine's address that packets are sent from. Only without `remote`. */
  readonly local?: string;
  readonly port?: number;
  readonly parent?: string;
}

/** What `createLink` takes. */
export type LinkSpec = SpecOf<"bridge"> | VethSpec | MacvlanSpec | VxlanSpec;

/** What `setLink` takes. `master` null: leaves its bridge. */
export interface LinkSettings {
  readonly up?: boolean;
  readonly master?: string | null;
  readonly mtu?: number;
  readonly mac?: string;
}

/** What `createLink` also sets, once the link is there: addresses in CIDR form first, `up` last. */
export interface FirstSettings {
  readonly addresses?: readonly string[];
  /** A bridge of the plugin's. */
  readonly master?: string;
  readonly up?: boolean;
}

/** What `addRoute` and `deleteRoute` take. `dev` is one of the plugin's links; `via` is in a network of one of its addresses. */
export interface RouteSpec {
  readonly destination: string;
  readonly via?: string;
  readonly dev: string;
}

/** Traffic of a link since its creation. */
export interface LinkCounters {
  readonly rxBytes: number;
  readonly rxPackets: number;
  readonly txBytes: number;
  readonly txPackets: number;
}

/** What `links()` and `createLink` return for a link. */
export interface LinkInfo {
  readonly name: string;
  readonly kind: LinkKind;
  readonly ifindex: number;
  readonly up: boolean;
  readonly mtu: number;
  readonly mac: string;
  readonly master?: string;
  /** The other end of a veth. */
  readonly peer?: string;
  readonly parent?: string;
  /** In CIDR form, canonical, without link-local ones. */
  readonly addresses: readonly string[];
  readonly counters?: LinkCounters;
  /** True if it has been moved into a sandbox; `up`, `mtu`, `mac` are then those of its creation. */
  readonly inSandbox?: true;
}
