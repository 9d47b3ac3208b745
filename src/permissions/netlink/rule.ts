/** The interface of a rule that bounds netlink requests. */
import type { PermissionRule } from "../rule.js";
import type { NamespaceView } from "./backend.js";
import type { NetlinkLimits } from "./grant.js";
import type { LedgerRow } from "./ledger.js";
import type { NetlinkRequest } from "./request.js";

/** What a rule may use. */
export interface Situation {
  readonly plugin: string;
  readonly limits: NetlinkLimits;
  readonly view: NamespaceView;
  /** The machine's name servers, canonical. */
  readonly resolvers: readonly string[];
  /** Returns the plugin's row of a link that it owns, in the namespace or in a sandbox. */
  own(name: string): LedgerRow | undefined;
  /** The plugin's rows. */
  readonly owned: readonly LedgerRow[];
  /** The plugin's links, including moved ones and both ends of a veth. */
  readonly count: number;
}

/** One rule. */
export type Rule = PermissionRule<[request: NetlinkRequest, situation: Situation]>;
