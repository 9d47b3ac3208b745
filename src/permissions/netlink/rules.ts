/**
 * What a netlink grant bounds: one row per rule, each of which was an attack that worked without it (README.md here).
 * They are checked in this order, on the host's side, for every request, and when it is about to be carried out: the
 * namespace is looked at anew each time. `fields`, `shape` and `kind`'s unknown kinds are refused before (`request.ts`).
 */
import type { NamespaceView } from "./backend.js";
import type { LedgerRow } from "./ledger.js";
import type { NetlinkLimits } from "./limits.js";
import type { NetlinkRequest } from "./request.js";
import { ADDRESS_RULES } from "./rules-addresses.js";
import { LINK_RULES } from "./rules-links.js";
import { MTU_RULES } from "./rules-mtu.js";
import { NAME_RULES } from "./rules-names.js";
import { refused } from "./words.js";

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

/** Rules that `request.ts` keeps while reading. */
const READING: readonly Rule[] = [
  {
    id: "fields",
    refuses: "fields that do not exist: altname, netns, promisc, stp, vlan_filtering, src, onlink, table …",
    check: () => undefined,
  },
  { id: "shape", refuses: "a field that is missing or of the wrong type", check: () => undefined },
];

/** Every rule. */
export const RULES: readonly Rule[] = [...READING, ...NAME_RULES, ...LINK_RULES, ...MTU_RULES, ...ADDRESS_RULES];

/** Throws `ERR_NETLINK_REFUSED` by the first rule that refuses. */
export function checkRules(request: NetlinkRequest, situation: Situation): void {
  for (const rule of RULES) {
    const why = rule.check(request, situation);
    if (why !== undefined) throw refused(situation.plugin, request.op, rule.id, why);
  }
}
