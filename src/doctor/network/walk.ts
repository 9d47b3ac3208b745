/** What becomes of a forwarded packet of ours in iptables' table `filter`, read from what `iptables -S` prints. */
import { MARK_TEXT } from "../../permissions/firewall/kernel/mark-rules.js";

/** "accepted": our rule stands ahead of all that drops. "dropped": `by` drops what no rule ahead of it accepts. */
export type Fate =
  | { readonly is: "accepted" }
  | { readonly is: "passed" }
  | { readonly is: "dropped"; readonly by: string };

/** An engine's chain for rules of the operator's, which hold for our networks too: what drops there is meant to. */
const OPERATORS_CHAIN = "DOCKER-USER";

/** Chains deeper than this are not followed: iptables itself refuses loops. */
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
    // A chain that returns at once for every packet, as an engine's chain for rules of others does at its end.
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

/** The number that our rule has in FORWARD, from 1: behind the jump to the operator's chain. */
export function placeOf(lines: readonly string[]): number {
  return lines.filter((line) => line.startsWith("-A FORWARD ")).indexOf(`-A FORWARD -j ${OPERATORS_CHAIN}`) + 2;
}

/** Which firewalls of others keep their rules there, for people. */
export function ownersOf(lines: readonly string[]): readonly string[] {
  const has = (pattern: RegExp): boolean => lines.some((line) => pattern.test(line));
  return [...(has(/^-N DOCKER-USER$/) ? ["a Docker engine"] : []), ...(has(/^-N ufw-/) ? ["ufw"] : [])];
}
