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

/**
 * The further chains of a table with confined bridges: `leave` sees packets after source translation, `admit` before routing, with their
 * destination after port 53 was redirected. The kernel adds and removes chains one by one, in this order and
 * before `CHAINS`: a new table drops what it does not translate yet, and a table being deleted stops admitting packets before it
 * stops translating.
 */
export const CONFINING_CHAINS = [
  { name: "leave", type: "filter", hook: "postrouting", prio: 110 },
  { name: "admit", type: "filter", hook: "prerouting", prio: -90 },
  { name: "input", type: "filter", hook: "input", prio: -10 },
] as const;

/** The chain that a table with tunnels has: what comes out of a tunnel is not for the host itself. */
export const TUNNEL_CHAINS: readonly (typeof CONFINING_CHAINS)[number][] = CONFINING_CHAINS.filter(
  ({ name }) => name === "input",
);
type Chain = (typeof CHAINS | typeof CONFINING_CHAINS)[number]["name"];

/** One nftables rule. */
export interface ChainRule {
  readonly chain: Chain;
  readonly expr: readonly Json[];
}
