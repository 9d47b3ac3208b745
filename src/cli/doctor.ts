/** `bulkhead doctor`: tests every wall from inside, checks the machine's network, and reports what fails. */
import { type CheckResult, failedDemanded } from "../doctor/check-result.js";
import { checkCluster } from "../doctor/cluster.js";
import { type Checked, type DoctorSeams, type Examination, examine } from "../doctor/doctor.js";
import { checkNetwork } from "../doctor/network/checks.js";
import { DriverError } from "../driverapi/errors.js";
import { netnsProblem } from "../permissions/netlink/kernel/available.js";
import { readPolicyFile } from "../policy/policy-file.js";
import type { Policy } from "../policy/schema.js";
import { networkDemand } from "./network-demand.js";
import { type Report, table } from "./output.js";
import type { Places } from "./places.js";
import { readClusterFile } from "./serve/cluster-file.js";

/** Characters of an example in the table; JSON has all of it. */
const FOUND_CHARS = 96;

/** Options of `doctor`. */
export interface DoctorOptions extends Pick<Places, "policy" | "policyNamed"> {
  /** The network namespace to check: a name or a path. Default: the process's own. */
  readonly netns?: string | undefined;
  /** A file that names the store which hosts share, as for `serve`. */
  readonly cluster?: string | undefined;
}

/**
 * Runs all checks. Fails if a check that the policy demands does not hold; without a policy, "bubblewrap" is demanded, as in the
 * host. Throws `ERR_OPTIONS` for a namespace that does not exist, and a file of the store that does not parse.
 */
export async function doctor(
  { policy: file, policyNamed, netns, cluster: clusterFile }: DoctorOptions,
  seams?: DoctorSeams,
): Promise<Report> {
  const { policy, exists } = await readPolicyFile(file, { absent: policyNamed ? "error" : "empty" });
  const problem = netns === undefined ? undefined : netnsProblem(netns);
  if (problem !== undefined) throw new DriverError("ERR_OPTIONS", `--netns: ${problem}`);
  const options = clusterFile === undefined ? undefined : await readClusterFile(clusterFile);
  const found = await examine(policy.sandbox ?? "bubblewrap", file, seams);
  const network = await checkNetwork(netns, networkDemand(policy));
  const { sandbox, wall, checks, failed } = found;
  const cluster = await checkCluster(options, grantsCluster(policy));
  const judge = exists ? `the policy ${file}` : `no policy at ${file} (--policy names another), so the defaults`;
  const report = {
    data: { policy: exists ? file : null, sandbox, wall, checks, network, cluster },
    text: text(judge, found, network, cluster),
  };
  if (failed.length > 0) return { ...report, error: new DriverError("ERR_ISOLATION_UNAVAILABLE", verdict(found)) };
  if (failedDemanded(network).length > 0)
    return {
      ...report,
      error: new DriverError(
        isVxlanAlone(network) ? "ERR_NETLINK_FAILED" : "ERR_FIREWALL_FAILED",
        networkVerdict(network),
      ),
    };
  if (failedDemanded(cluster).length === 0) return report;
  return { ...report, error: new DriverError("ERR_CLUSTER_FAILED", clusterVerdict(cluster)) };
}

/** `judge`: what demanded the walls. */
function text(
  judge: string,
  found: Examination,
  network: readonly CheckResult[],
  cluster: readonly CheckResult[],
): string {
  const { sandbox, wall, checks } = found;
  const fixes = fixLines([...checks, ...network, ...cluster]);
  return [
    `${judge}: sandbox "${sandbox}", ${wall === null ? "no wall could be raised" : `tried behind: ${wall}`}`,
    "",
    checkTable(checks, example),
    "",
    "the machine's network",
    "",
    checkTable(network, ({ evidence }) => evidence),
    "",
    "the store that hosts share",
    "",
    checkTable(cluster, ({ evidence }) => evidence),
    "",
    ...(fixes.length === 0 ? [] : [...fixes, ""]),
    verdict(found),
    networkVerdict(network),
    clusterVerdict(cluster),
  ].join("\n");
}

function checkTable<C extends CheckResult>(checks: readonly C[], found: (check: C) => string): string {
  return table(
    ["CHECK", "HOLDS", "DEMANDED", "FOUND"],
    checks.map((one) => [one.name, one.holds, one.demanded ? "yes" : "-", found(one)]),
  );
}

function networkVerdict(network: readonly CheckResult[]): string {
  const demanded = failedDemanded(network).map(({ name }) => name);
  if (demanded.length > 0)
    return `the ${isVxlanAlone(network) ? "kind of link" : "firewall"} that the policy grants does not work here: ${demanded.join(", ")}`;
  const failed = network.filter(({ holds }) => holds === "no");
  if (failed.length === 0) return "the machine's network has what Docker networks need";
  return `missing in the machine's network, but not demanded by the policy: ${failed.map(({ name }) => name).join(", ")}`;
}

function clusterVerdict(cluster: readonly CheckResult[]): string {
  const failed = cluster.filter(({ holds }) => holds === "no");
  if (failed.length > 0)
    return `the store that hosts share does not work here: ${failed.map(({ name }) => name).join(", ")}`;
  const skipped = cluster.find(({ holds }) => holds === "skipped");
  return skipped
    ? `the store that hosts share was not tried: ${skipped.evidence}`
    : "the store that hosts share answers";
}

function grantsCluster({ plugins = {} }: Policy): boolean {
  return Object.values(plugins).some(({ grant }) => grant?.cluster !== undefined);
}

function isVxlanAlone(network: readonly CheckResult[]): boolean {
  return failedDemanded(network).every(({ name }) => name === "machine.vxlan");
}

/** Returns the first probe that succeeded, or else the first one, and the number of others like it. */
function example({ attempts, evidence }: Checked): string {
  const one = attempts.find(({ through }) => through) ?? attempts[0];
  if (one === undefined) return evidence;
  const rest = attempts.filter(({ through }) => through === one.through).length - 1;
  const text = `${one.what}: ${one.said}`;
  const short = text.length > FOUND_CHARS ? `${text.slice(0, FOUND_CHARS - 1)}…` : text;
  return rest > 0 ? `${short}; and ${rest} more` : short;
}

/** Lists every fix once, with the checks it is for. */
function fixLines(checks: readonly CheckResult[]): readonly string[] {
  const checksByFix = new Map<string, string[]>();
  for (const { name, fix } of checks) if (fix !== null) checksByFix.set(fix, [...(checksByFix.get(fix) ?? []), name]);
  return [...checksByFix].map(([fix, names]) => `to fix ${names.join(", ")}:\n  ${fix}`);
}

function verdict({ checks, failed }: Examination): string {
  const demanded = checks.filter((one) => one.demanded);
  if (failed.length > 0) {
    const count = failed.length === 1 ? "a demanded check fails" : `${failed.length} demanded checks fail`;
    return `${count}: ${failed.join(", ")}`;
  }
  const skipped = checks.filter((one) => one.holds === "skipped").map(({ name }) => name);
  const weak = checks.filter((one) => !one.demanded && one.holds === "no").length;
  return [
    `every wall that the policy demands holds: ${demanded.filter((one) => one.holds === "yes").length} checks`,
    ...(weak === 0 ? [] : [`weakened: ${weak} check(s) that the policy does not demand fail`]),
    ...(skipped.length === 0 ? [] : [`not tried: ${skipped.join(", ")}`]),
  ].join("; ");
}
