/** The form of a rule that bounds a netlink grant. */
import type { NamespaceView } from "./backend.js";
import type { NetlinkLimits } from "./grant.js";
import type { LedgerRow } from "./ledger.js";
import type { NetlinkRequest } from "./request.js";

/** What a rule may look at. */
export interface Situation {
  readonly plugin: string;
  readonly limits: NetlinkLimits;
  readonly view: NamespaceView;
  /** The name servers the machine asks, canonical. */
  readonly resolvers: readonly string[];
  /** The plugin's row of a link that is its own: in the ledger, marked, and the very link that was made; or moved away. */
  own(name: string): LedgerRow | undefined;
  /** Links the plugin has, moved ones and both ends of a veth included. */
  readonly count: number;
}

/** One rule. */
export interface Rule {
  /** Stable; named in every refusal. */
  readonly id: string;
  /** What it refuses, in a few words, for documentation. */
  readonly refuses: string;
  /** Why the request is refused, with the value; undefined when it is not. */
  check(request: NetlinkRequest, situation: Situation): string | undefined;
}
