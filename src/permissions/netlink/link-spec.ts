/** Links as a plugin asks for them and as it is told of them. Types only. */
import type { LinkKind } from "./grant.js";

interface SpecOf<K extends LinkKind> {
  readonly kind: K;
  readonly name: string;
  /** Bytes, 68 and up; 1280 and up where the link has IPv6 addresses. */
  readonly mtu?: number;
  readonly mac?: string;
}

/** A pair of ends; `mtu` holds for both. */
export interface VethSpec extends SpecOf<"veth"> {
  readonly peer: string;
  readonly peerMac?: string;
}

/** A card of its own on the machine's `parent`. */
export interface MacvlanSpec extends SpecOf<"macvlan"> {
  readonly parent: string;
  readonly mode: "bridge" | "private" | "passthru";
}

/** A tunnel over UDP. `port` absent: the first one granted. */
export interface VxlanSpec extends SpecOf<"vxlan"> {
  readonly vni: number;
  /** The other end, and the only one that is sent to. Needed. */
  readonly remote?: string;
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

/** What `addRoute` and `deleteRoute` take. `dev` is an own link; `via` lies in a network of one of its addresses. */
export interface RouteSpec {
  readonly destination: string;
  readonly via?: string;
  readonly dev: string;
}

/** Traffic of a link since it was made. */
export interface LinkCounters {
  readonly rxBytes: number;
  readonly rxPackets: number;
  readonly txBytes: number;
  readonly txPackets: number;
}

/** What `links()` and `createLink` tell of an own link. */
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
  /** It has been moved into a sandbox: `up`, `mtu`, `mac` are what they were when it was made. */
  readonly inSandbox?: true;
}
