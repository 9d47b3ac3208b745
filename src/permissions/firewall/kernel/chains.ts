/** The chains of our tables, and the form of their rules. */
import type { Json } from "../../../driverapi/json.js";

/**
 * The chains of a table, and their hooks. `forward` runs before other programs' filters (priority 0), which read the mark that it sets;
 * the others have nftables' usual priorities.
 */
export const CHAINS = [
  { name: "prerouting", type: "nat", hook: "prerouting", prio: -100 },
  { name: "output", type: "nat", hook: "output", prio: -100 },
  { name: "postrouting", type: "nat", hook: "postrouting", prio: 100 },
  { name: "forward", type: "filter", hook: "forward", prio: -10 },
] as const;
type Chain = (typeof CHAINS)[number]["name"];

/** One nftables rule. */
export interface ChainRule {
  readonly chain: Chain;
  readonly expr: readonly Json[];
}
