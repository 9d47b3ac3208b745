/**
 * The rules of netlink requests, each against an attack that worked without it (README.md here), checked in this order when a request
 * is about to be carried out, against a new snapshot of the namespace. `request.ts` refuses `fields`, `shape` and unknown kinds before.
 */

import { applyRules } from "../rule.js";
import { refused } from "./errors.js";
import type { NetlinkOp, NetlinkRequest } from "./request.js";
import type { Rule, Situation } from "./rule.js";
import { ADDRESS_RULES } from "./rules-addresses.js";
import { LINK_RULES } from "./rules-links.js";
import { MTU_RULES } from "./rules-mtu.js";
import { NAME_RULES } from "./rules-names.js";
import { REMOTE_RULES } from "./rules-remotes.js";

/** Rules that `request.ts` enforces while reading. */
const READING: readonly Rule[] = [
  {
    id: "fields",
    refuses: "fields that do not exist: altname, netns, promisc, stp, vlan_filtering, src, onlink, table …",
    check: () => undefined,
  },
  { id: "shape", refuses: "a field that is missing or of the wrong type", check: () => undefined },
];

/** Every rule. */
export const RULES: readonly Rule[] = [
  ...READING,
  ...NAME_RULES,
  ...LINK_RULES,
  ...MTU_RULES,
  ...ADDRESS_RULES,
  ...REMOTE_RULES,
];

/** Throws `ERR_NETLINK_REFUSED`, naming the first rule that refuses. `op`: the method that the plugin called, if it is another. */
export function checkRules(request: NetlinkRequest, situation: Situation, op: NetlinkOp = request.op): void {
  applyRules(RULES, [request, situation], (rule, why) => refused(situation.plugin, op, rule, why));
}
