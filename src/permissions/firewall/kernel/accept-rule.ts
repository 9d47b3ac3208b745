/**
 * Maintains one rule in the FORWARD chain of iptables and of ip6tables that accepts what our tables have marked. It follows the jump to
 * DOCKER-USER, so that an operator's rules there apply to our networks as to an engine's own.
 */
import type { NeighbourReport } from "../neighbours.js";
import { MARK_TEXT } from "./mark-rules.js";
import { complaint, type Tools } from "./tools.js";

/** Identifies our rule in a listing. A single word, since iptables quotes others. */
const COMMENT = "bulkhead";

/** The rule's words after `-I FORWARD` or `-D FORWARD`. */
export const ACCEPT_RULE: readonly string[] = [
  ...["-m", "mark", "--mark", MARK_TEXT, "-m", "comment", "--comment", COMMENT],
  ...["-j", "ACCEPT"],
];
const PROGRAMS = ["iptables", "ip6tables"] as const;

/** How long to wait for iptables' lock, in seconds. */
const WAIT = ["-w", "5"] as const;

/** Changes to FORWARD. */
export interface AcceptPlan {
  /** Position at which to insert our rule, from 1; undefined if it exists, or is not wanted. */
  readonly insert: number | undefined;
  /** How many of our rules to delete then, the topmost first. */
  readonly remove: number;
}

/**
 * Reads a listing (`iptables -S FORWARD`). Inserts nothing if nothing drops: without other rules, and with the policy ACCEPT.
 * `wanted`: false removes all of our rules.
 */
export function planAccept(listing: string, wanted: boolean): AcceptPlan {
  const lines = listing.split("\n");
  const rules = lines.filter((line) => line.startsWith("-A FORWARD "));
  const own = rules.flatMap((rule, index) => (isOurs(rule) ? [index] : []));
  const drops = !lines.includes("-P FORWARD ACCEPT") || rules.length > own.length;
  if (!wanted || !drops) return { insert: undefined, remove: own.length };
  const jump = rules.indexOf("-A FORWARD -j DOCKER-USER");
  const stands = own.some((index) => index > jump);
  return stands ? { insert: undefined, remove: own.length - 1 } : { insert: jump + 2, remove: own.length };
}

/** Maintains the rule with both programs. One that is not installed has not made any rules. */
export class AcceptRule {
  readonly #tools: Tools;

  constructor(tools: Tools) {
    this.#tools = tools;
  }

  /** Inserts or removes the rule, in both families. */
  async keep(wanted: boolean): Promise<NeighbourReport> {
    const reports = await Promise.all(PROGRAMS.map((name) => this.#keepOne(name, wanted)));
    return {
      changed: reports.flatMap(({ changed }) => changed),
      problems: reports.flatMap(({ problems }) => problems),
    };
  }

  async #keepOne(name: (typeof PROGRAMS)[number], wanted: boolean): Promise<NeighbourReport> {
    if (!this.#tools.has(name)) return { changed: [], problems: [] };
    const listed = await this.#tools.try("neighbours", name, [...WAIT, "-S", "FORWARD"]);
    if (listed.code !== 0) return failure(name, wanted, complaint(listed, name));
    const { remove, insert } = planAccept(listed.stdout, wanted);
    // Inserts before deleting, to leave no gap. Deletes by words, since positions may have changed meanwhile.
    const steps = [
      ...(insert === undefined ? [] : [["-I", "FORWARD", String(insert), ...ACCEPT_RULE]]),
      ...Array.from({ length: remove }, () => ["-D", "FORWARD", ...ACCEPT_RULE]),
    ];
    for (const step of steps) {
      const outcome = await this.#tools.try("neighbours", name, [...WAIT, ...step]);
      if (outcome.code !== 0) return failure(name, wanted, complaint(outcome, name));
    }
    return { changed: steps.length > 0 ? [`FORWARD of ${name}`] : [], problems: [] };
  }
}

function isOurs(rule: string): boolean {
  return rule.includes(`--mark ${MARK_TEXT} `) && new RegExp(`--comment "?${COMMENT}"?( |$)`).test(rule);
}

function failure(name: string, wanted: boolean, words: string): NeighbourReport {
  const command = `${name} ${wanted ? "-I" : "-D"} FORWARD ${ACCEPT_RULE.join(" ")}`;
  return { changed: [], problems: [`${name} failed (${words}); run: ${command}`] };
}
