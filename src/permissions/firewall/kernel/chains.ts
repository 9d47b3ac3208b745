/** The chains of a table of ours, and the form of a rule in them. */
import type { Json } from "../../../driverapi/json.js";

/**
 * The chains of a table: what each hooks into. `forward` runs before the filters of other programs (priority 0), which read the mark
 * that it sets; the others have nftables' usual priorities.
 */
export const CHAINS = [
  { name: "prerouting", type: "nat", hook: "prerouting", prio: -100 },
  { name: "output", type: "nat", hook: "output", prio: -100 },
  { name: "postrouting", type: "nat", hook: "postrouting", prio: 100 },
  { name: "forward", type: "filter", hook: "forward", prio: -10 },
] as const;
type Chain = (typeof CHAINS)[number]["name"];

/** One rule of nftables'. */
export interface ChainRule {
  readonly chain: Chain;
  readonly expr: readonly Json[];
}
