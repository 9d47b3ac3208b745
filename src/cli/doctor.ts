/** `bulkhead doctor`: tries every wall from inside, and says which of those that the policy demands do not hold. */
import { type Checked, type DoctorSeams, type Examination, examine } from "../doctor/doctor.js";
import { DriverError } from "../driverapi/errors.js";
import { readPolicyFile } from "../host/policy/policy-file.js";
import { type Report, table } from "./output.js";
import type { Places } from "./places.js";

/** Characters of an example in the table; JSON has all of it. */
const FOUND_CHARS = 96;

/** Looks. Fails when a wall that the policy demands is down; with no policy at all, "bubblewrap" is demanded, as in the host. */
export async function doctor(places: Pick<Places, "policy" | "policyNamed">, seams?: DoctorSeams): Promise<Report> {
  const { policy } = await readPolicyFile(places.policy, { absent: places.policyNamed ? "error" : "empty" });
  const found = await examine(policy.sandbox ?? "bubblewrap", places.policy, seams);
  const { sandbox, wall, checks, down } = found;
  const report = { data: { sandbox, wall, checks }, text: text(found) };
  if (down.length === 0) return report;
  return { ...report, error: new DriverError("ERR_ISOLATION_UNAVAILABLE", verdict(found)) };
}

function text(found: Examination): string {
  const { sandbox, wall, checks } = found;
  const rows = checks.map((one) => [one.name, one.holds, one.demanded ? "yes" : "-", example(one)]);
  const fixes = fixLines(checks);
  return [
    `sandbox "${sandbox}" in the policy, ${wall === null ? "no wall could be raised" : `tried behind: ${wall}`}`,
    "",
    table(["CHECK", "HOLDS", "DEMANDED", "FOUND"], rows),
    "",
    ...(fixes.length === 0 ? [] : [...fixes, ""]),
    verdict(found),
  ].join("\n");
}

/** The first that went through, or else the first that did not, and how many more there are. */
function example({ attempts, evidence }: Checked): string {
  const one = attempts.find(({ through }) => through) ?? attempts[0];
  if (one === undefined) return evidence;
  const rest = attempts.filter(({ through }) => through === one.through).length - 1;
  const text = `${one.what}: ${one.said}`;
  const short = text.length > FOUND_CHARS ? `${text.slice(0, FOUND_CHARS - 1)}…` : text;
  return rest > 0 ? `${short}; and ${rest} more` : short;
}

/** Every fix once, with the checks it mends. */
function fixLines(checks: readonly Checked[]): readonly string[] {
  const mended = new Map<string, string[]>();
  for (const { name, fix } of checks) if (fix !== null) mended.set(fix, [...(mended.get(fix) ?? []), name]);
  return [...mended].map(([fix, names]) => `to mend ${names.join(", ")}:\n  ${fix}`);
}

function verdict({ checks, down }: Examination): string {
  const demanded = checks.filter((one) => one.demanded);
  if (down.length > 0) {
    const walls = down.length === 1 ? "a demanded wall is down" : `${down.length} demanded walls are down`;
    return `${walls}: ${down.join(", ")}`;
  }
  const skipped = checks.filter((one) => one.holds === "skipped").map(({ name }) => name);
  const weak = checks.filter((one) => !one.demanded && one.holds === "no").length;
  return [
    `every wall that the policy demands holds: ${demanded.filter((one) => one.holds === "yes").length} checks`,
    ...(weak === 0 ? [] : [`it is weakened: ${weak} that the policy does not demand are down`]),
    ...(skipped.length === 0 ? [] : [`not tried: ${skipped.join(", ")}`]),
  ].join("; ");
}
