/** One check's result, with what it was seen by and how to fix it. */
import type { WhyCheck } from "../control/types.js";

export type Verdict = WhyCheck;

export function yes(check: string, evidence: string): Verdict {
  return { check, holds: "yes", evidence, fix: null };
}

export function skipped(check: string, evidence: string): Verdict {
  return { check, holds: "skipped", evidence, fix: null };
}

export function no(check: string, evidence: string, fix: string | null): Verdict {
  return { check, holds: "no", evidence, fix };
}
