/** Types of the contract's rules. */
import type { Trial } from "./trial.js";

/** What a rule is about. */
export type RuleGroup = "driver" | "networks" | "endpoints" | "joins" | "external" | "alone" | "restarts" | "aborts";

/** One rule of the contract, to run under any test framework. */
export interface ContractRule {
  /** A stable slug. */
  readonly id: string;
  readonly group: RuleGroup;
  /** What must hold, in a sentence. */
  readonly says: string;
  /** The sentence of libnetwork's driverapi.go it comes from. */
  readonly seed: string;
  /** Tests the driver in a host of its own. Rejects with an `AssertionError` that names the rule. */
  run(): Promise<void>;
}

/** One rule as it is defined. */
export interface RuleRow {
  readonly id: string;
  readonly says: string;
  readonly seed: string;
  /** "hosted": the host does its own bookkeeping, as in production; "alone": every call reaches the driver. */
  readonly host?: "hosted" | "alone";
  try(trial: Trial): Promise<void>;
}
