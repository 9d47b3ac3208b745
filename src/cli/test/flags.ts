/** What `bulkhead test` is told, and the options of the contract that follow from it. */
import { nearest } from "../../common/nearest.js";
import { quote } from "../../common/quote.js";
import { DriverError } from "../../driverapi/errors.js";
import type { JsonObject } from "../../driverapi/json.js";

/** The flags, as commander gives them. */
export interface TestFlags {
  readonly type?: string;
  readonly rule?: readonly string[];
  readonly except?: readonly string[];
  readonly networkOptions?: string;
  readonly rounds?: string;
}

/** The flags, read. */
export interface TestSettings {
  /** Undefined: every type that the plugin registers. */
  readonly type: string | undefined;
  /** Empty: every rule. */
  readonly only: readonly string[];
  readonly except: readonly string[];
  readonly network: (n: number) => JsonObject;
  readonly rounds: number;
}

/** Repetitions in rules about leaks: more than a /24 has addresses. */
const ROUNDS = 300;
const ROUNDS_MAX = 10_000;

/** Networks that have a subnet of their own at one time. */
const SUBNETS = 250;

/** Reads the flags. Throws `ERR_USAGE`. */
export function readTestFlags({ type, rule = [], except = [], networkOptions, rounds }: TestFlags): TestSettings {
  const count = rounds === undefined ? ROUNDS : Number(rounds);
  if (!(Number.isInteger(count) && count >= 1 && count <= ROUNDS_MAX))
    throw wrongUse(`--rounds is a whole number from 1 to ${ROUNDS_MAX}, not ${quote(rounds ?? "")}`);
  const network = networkOptions === undefined ? enginesPool : optionsFrom(networkOptions);
  return { type, only: rule, except, network, rounds: count };
}

/** Returns the rules that the flags choose of `all`. Throws `ERR_USAGE` for an unknown rule, and if no rule is left. */
export function chosenRules<R extends { readonly id: string }>(
  all: readonly R[],
  { only, except }: Pick<TestSettings, "only" | "except">,
): readonly R[] {
  const ids = all.map(({ id }) => id);
  checkRules("--rule", only, ids);
  checkRules("--except", except, ids);
  const chosen = all.filter(({ id }) => (only.length === 0 || only.includes(id)) && !except.includes(id));
  if (chosen.length > 0) return chosen;
  // A run of nothing would look like a driver that keeps the rules.
  const words = only.length === 0 ? "--except names every rule" : "--except names every rule that --rule names";
  throw wrongUse(`${words}, so no rule is left to run; leave one out of --except`);
}

/** `flag`: where the rules were named. */
function checkRules(flag: string, named: readonly string[], rules: readonly string[]): void {
  const unknown = named.find((id) => !rules.includes(id));
  if (unknown === undefined) return;
  const near = nearest(unknown, rules);
  const hint = near === undefined ? `the rules are ${rules.join(", ")}` : `did you mean ${quote(near)}?`;
  throw wrongUse(`${flag} ${quote(unknown)}: unknown rule; ${hint}`);
}

/** Returns what an engine gives a network: a subnet of its own, chosen by its address management. */
function enginesPool(n: number): JsonObject {
  const pool = { Pool: `10.64.${n % SUBNETS}.0/24`, Gateway: `10.64.${n % SUBNETS}.1/24` };
  return { "com.docker.network.ipam": { ipv4: [pool], ipv6: [] } };
}

/** Returns the options in a JSON text, with the number of the network in place of each `{n}`. */
function optionsFrom(text: string): (n: number) => JsonObject {
  const options = (n: number): JsonObject => {
    const value: unknown = JSON.parse(text.replaceAll("{n}", String(n % SUBNETS)));
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as JsonObject;
    throw new TypeError("not an object");
  };
  try {
    options(0);
    return options;
  } catch {
    throw wrongUse(`--network-options is a JSON object, not ${quote(text)}`);
  }
}

function wrongUse(message: string): DriverError {
  return new DriverError("ERR_USAGE", message);
}
