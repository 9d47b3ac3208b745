/** `bulkhead policy check|diff [FILE]`: what a policy says and would change, before a host follows it; `learn ID`: the smallest grant. */
import { quote } from "../../common/quote.js";
import { DriverError } from "../../driverapi/errors.js";
import type { HostPlace } from "../applied.js";
import type { Report } from "../output.js";
import type { Places } from "../places.js";
import { check } from "./check.js";
import { diff } from "./diff.js";
import { type LearnOptions, learn } from "./learn.js";

/** Carries out `what`. `named`: the policy to look at, by default the one that `places` names; for `learn`, a plugin's id. */
export async function policy(
  what: string,
  named: string | undefined,
  places: Places & HostPlace,
  options: LearnOptions = {},
): Promise<Report> {
  if (what === "learn") return learn(named, options, places);
  if (options.seconds !== undefined || options.tests !== undefined)
    throw new DriverError("ERR_USAGE", "--seconds and --tests are for bulkhead policy learn");
  if (what === "check") return check(named ?? places.policy, places);
  if (what === "diff") return diff(named, places);
  throw new DriverError("ERR_USAGE", `bulkhead policy takes check, diff or learn, not ${quote(what)}`);
}
