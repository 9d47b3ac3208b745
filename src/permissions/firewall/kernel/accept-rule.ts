/**
 * One rule in the FORWARD chain of iptables and of ip6tables that accepts what our tables have marked. It stands behind the jump to
 * DOCKER-USER, so that what an operator has written there holds for our networks as it does for an engine's own.
 */
import type { NeighbourReport } from "../neighbours.js";
import { MARK_TEXT } from "./mark-rules.js";
import { complaint, type Tools } from "./tools.js";

/** Says in a listing whose rule it is. One word, since iptables quotes others. */
const COMMENT = "bulkhead";

/** The rule's words, behind `-I FORWARD` or `-D FORWARD`. */
export const ACCEPT_RULE: readonly string[] = [
  ...["-m", "mark", "--mark", MARK_TEXT, "-m", "comment", "--comment", COMMENT],
  ...["-j", "ACCEPT"],
];
const PROGRAMS = ["iptables", "ip6tables"] as const;

/** Another process may hold iptables' lock: seconds. */
const WAIT = ["-w", "5"] as const;

/** What is to be done with FORWARD. */
export interface AcceptPlan {
  /** The number that our rule is to have, from 1; undefined where it stands already, or is not wanted. */
  readonly insert: number | undefined;
  /** How many of ours are then to go, the topmost first. */
  readonly remove: number;
}

/**
 * Reads a listing (`iptables -S FORWARD`). Nothing is inserted where nothing drops: no rule, and the policy ACCEPT.
 * `wanted` false: whatever is of ours goes.
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

/** What iptables of this namespace lets pass. Programs that are not installed have made no rules. */
export class AcceptRule {
  readonly #tools: Tools;

  constructor(tools: Tools) {
    this.#tools = tools;
  }

  /** Puts the rule in, or takes it out, in both families. */
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
    // The new one first, so that there is no moment without; by its words, for numbers may have changed since.
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
