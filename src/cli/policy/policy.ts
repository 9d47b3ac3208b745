/** `bulkhead policy check|diff [FILE]`: what a policy says and would change, before a host follows it. */
import { quote } from "../../common/quote.js";
import { DriverError } from "../../driverapi/errors.js";
import type { HostPlace } from "../applied.js";
import type { Report } from "../output.js";
import type { Places } from "../places.js";
import { check } from "./check.js";
import { diff } from "./diff.js";

/** Carries out `what`. `file`: the policy to look at; undefined: the one that `places` names. */
export async function policy(what: string, file: string | undefined, places: Places & HostPlace): Promise<Report> {
  if (what === "check") return check(file ?? places.policy, places);
  if (what === "diff") return diff(file, places);
  throw new DriverError("ERR_USAGE", `bulkhead policy takes check or diff, not ${quote(what)}`);
}
