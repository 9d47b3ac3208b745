/** What a rule of the contract is: to its author here, and to whoever runs it. */
import type { Trial } from "./trial.js";

/** What a rule is about. */
export type RuleGroup = "driver" | "networks" | "endpoints" | "joins" | "external" | "alone" | "restarts" | "aborts";

/** One rule of the contract, to be run under any test framework. */
export interface ContractRule {
  /** A stable slug. */
  readonly id: string;
  readonly group: RuleGroup;
  /** What must hold, in a sentence. */
  readonly says: string;
  /** The sentence of libnetwork's driverapi.go it comes from. */
  readonly seed: string;
  /** Tries the driver in a host of its own. Rejects with an `AssertionError` that names the rule when it is broken. */
  run(): Promise<void>;
}

/** One rule as it is written down. */
export interface RuleRow {
  readonly id: string;
  readonly says: string;
  readonly seed: string;
  /** How the host decides: "hosted" as it does in service, "alone" nothing, so that every call reaches the driver. */
  readonly host?: "hosted" | "alone";
  try(trial: Trial): Promise<void>;
}
