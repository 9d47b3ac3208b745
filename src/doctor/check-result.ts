/** A check and its result, for the walls and for the machine's network. */

/** A check as it is listed. */
export interface CheckRow {
  readonly name: string;
  /** What is tried, for people. */
  readonly tries: string;
}

export interface CheckResult extends CheckRow {
  /** False: the policy in force does not need it to hold. */
  readonly demanded: boolean;
  readonly holds: "yes" | "no" | "skipped";
  readonly evidence: string;
  /** What to do; null unless it does not hold. */
  readonly fix: string | null;
}

/** Returns the checks that the policy demands and that do not hold. */
export function failedDemanded<C extends CheckResult>(checks: readonly C[]): readonly C[] {
  return checks.filter(({ demanded, holds }) => demanded && holds === "no");
}
