/** The driver contract as a test suite: every rule with its name and its source, to run under any test framework. */
import { AssertionError } from "node:assert";
import { DriverError } from "../driverapi/errors.js";
import { knownOptions } from "../driverapi/known-options.js";
import { told } from "./expect.js";
import type { ContractRule, RuleGroup, RuleRow } from "./rule.js";
import { ABORT_RULES } from "./rules/aborts.js";
import { ALONE_RULES } from "./rules/alone.js";
import { DRIVER_RULES } from "./rules/driver.js";
import { ENDPOINT_RULES } from "./rules/endpoints.js";
import { EXTERNAL_RULES } from "./rules/external.js";
import { JOIN_RULES } from "./rules/joins.js";
import { NETWORK_RULES } from "./rules/networks.js";
import { RESTART_RULES } from "./rules/restarts.js";
import { createTestHost, TEST_HOST_OPTIONS, type TestHostOptions } from "./test-host.js";
import { TRIAL_OPTIONS, Trial, type TrialOptions } from "./trial.js";

/** The plugin that the contract is tested on. */
export interface ContractOptions extends Omit<TestHostOptions, "recovery">, TrialOptions {
  /** The network type; optional if the plugin registers only one. */
  readonly type?: string;
  /** Rules that this driver does not follow, by id, each with the reason. */
  readonly except?: Readonly<Record<string, string>>;
}

const OPTIONS: readonly (keyof ContractOptions)[] = [
  ...TEST_HOST_OPTIONS.filter((name) => name !== "recovery"),
  ...TRIAL_OPTIONS,
  "type",
  "except",
];

const GROUPS: Readonly<Record<RuleGroup, readonly RuleRow[]>> = {
  driver: DRIVER_RULES,
  networks: NETWORK_RULES,
  endpoints: ENDPOINT_RULES,
  joins: JOIN_RULES,
  external: EXTERNAL_RULES,
  alone: ALONE_RULES,
  restarts: RESTART_RULES,
  aborts: ABORT_RULES,
};

/**
 * Returns every rule that a driver has to follow. Each runs in a host of its own, which is closed afterwards:
 *
 *     for (const rule of driverContract({ plugin: "./my-driver" })) test(`${rule.id}: ${rule.says}`, () => rule.run());
 *
 * The group "alone" tests the driver without the host's own bookkeeping; all of it matters with `recovery: "self"`. With "replay"
 * the host itself refuses duplicates and deletes of what is in use, and undoes calls of unknown outcome, for which an unknown
 * network or endpoint must be NotFound. Throws `ERR_OPTIONS` for an unknown option, or if `except` names an unknown rule.
 */
export function driverContract(options: ContractOptions): readonly ContractRule[] {
  knownOptions("driverContract", options, OPTIONS);
  const { except = {} } = options;
  const rules = Object.entries(GROUPS).flatMap(([group, rows]) =>
    rows.map((row) => contractRule(group as RuleGroup, row, options)),
  );
  const unknown = Object.keys(except).find((id) => !rules.some((rule) => rule.id === id));
  if (unknown !== undefined) {
    throw new DriverError("ERR_OPTIONS", `except: there is no rule "${unknown}"; see the ids driverContract() gives`);
  }
  return rules.filter(({ id }) => !Object.hasOwn(except, id));
}

function contractRule(group: RuleGroup, row: RuleRow, options: ContractOptions): ContractRule {
  const { id, says, seed } = row;
  return Object.freeze({ id, group, says, seed, run: () => tryRule(row, options) });
}

async function tryRule(row: RuleRow, options: ContractOptions): Promise<void> {
  const { type, except: _, ...rest } = options;
  const { network: _n, endpoint: _e, join: _j, external: _x, given: _g, rounds: _r, ...host } = rest;
  // Not `await using`: test runners with realms of their own (jest 29) have no Symbol.asyncDispose on Node 20.
  const running = await createTestHost({ ...host, ...(row.host === "alone" ? { recovery: "self" } : {}) });
  try {
    await row.try(new Trial(running, running.driver(type), rest));
  } catch (error) {
    throw broken(row, error);
  } finally {
    await running.close();
  }
}

/** Wraps a failure with the rule's name and sentence. */
function broken({ id, says, seed }: RuleRow, cause: unknown): AssertionError {
  const { actual, expected } = (cause instanceof AssertionError ? cause : {}) as Partial<AssertionError>;
  const message = `${id}: ${told(cause)}\n  the rule: ${says}\n  the seed: ${seed}`;
  const error = new AssertionError({ message, actual, expected });
  return Object.assign(error, { cause });
}
