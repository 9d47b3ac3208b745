/** Traces a forwarded packet of ours through iptables' table `filter`, as `iptables -S` prints it. */
import { MARK_TEXT } from "../../permissions/firewall/kernel/mark-rules.js";

/** "accepted": our rule comes before all that drop; "passed": nothing drops it; "dropped": `by` drops it. */
export type Fate =
  | { readonly is: "accepted" }
  | { readonly is: "passed" }
  | { readonly is: "dropped"; readonly by: string };

/** An engine's chain for the operator's own rules, which apply to our networks too. */
const OPERATORS_CHAIN = "DOCKER-USER";

/** Deepest chain that is followed; iptables itself refuses loops. */
const DEEPEST = 16;

/** Follows the chain FORWARD as the kernel does, rule by rule, into every chain it jumps to. */
export function walkForward(lines: readonly string[]): Fate {
  const found = walk("FORWARD", lines, 0);
  if (found !== undefined) return found;
  if (lines.includes("-P FORWARD DROP")) return { is: "dropped", by: "the policy DROP of its chain FORWARD" };
  return { is: "passed" };
}

function walk(chain: string, lines: readonly string[], depth: number): Fate | undefined {
  if (depth > DEEPEST) return undefined;
  for (const line of lines.filter((one) => one.startsWith(`-A ${chain} `))) {
    const target = / -[jg] (\S+)/.exec(line)?.[1];
    if (target === undefined) continue;
    if (target === "ACCEPT" && line.includes(`--mark ${MARK_TEXT} `)) return { is: "accepted" };
    if (line === `-A ${chain} -j ACCEPT`) return { is: "passed" };
    if (target === "DROP" || target === "REJECT") return { is: "dropped", by: `a rule of its chain ${chain}` };
    // The chain returns for every packet, as an engine's chain for the operator's rules does at its end.
    if (line === `-A ${chain} -j RETURN`) return undefined;
    if (target === OPERATORS_CHAIN && !accepts(target, lines)) continue;
    const inner = walk(target, lines, depth + 1);
    if (inner !== undefined) return inner;
  }
  return undefined;
}

function accepts(chain: string, lines: readonly string[]): boolean {
  return walk(chain, lines, DEEPEST)?.is === "accepted";
}

/** Returns the position for our rule in FORWARD, from 1: after the jump to the operator's chain. */
export function placeOf(lines: readonly string[]): number {
  return lines.filter((line) => line.startsWith("-A FORWARD ")).indexOf(`-A FORWARD -j ${OPERATORS_CHAIN}`) + 2;
}

/** Names the firewalls that have rules in a table. */
export function ownersOf(lines: readonly string[]): readonly string[] {
  const has = (pattern: RegExp): boolean => lines.some((line) => pattern.test(line));
  return [...(has(/^-N DOCKER-USER$/) ? ["a Docker engine"] : []), ...(has(/^-N ufw-/) ? ["ufw"] : [])];
}
