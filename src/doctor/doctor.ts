/** Raises the wall that a policy demands, tests it from inside, and decides which checks hold. */
import { messageOf } from "../common/text.js";
import { ASKED_FOR, raiseWall } from "../isolation/walls/raise.js";
import { acquireRuntimeFolder, releaseRuntimeFolder } from "../isolation/walls/runtime-folder.js";
import type { SandboxPolicy, Wall, WallName } from "../isolation/walls/wall.js";
import { type CheckResult, failedDemanded } from "./check-result.js";
import { CHECKS, type Check } from "./checks.js";
import { observe, type Probe, type Probes } from "./probe.js";
import { setTargets } from "./targets.js";
import { placeTrialFiles } from "./trial-files.js";
import { DATA_MB, RESIDENT_MB, runTrials, type TrialSeams } from "./trials.js";

export interface Checked extends CheckResult {
  /** Everything that was tried. */
  readonly attempts: readonly Probe[];
}

export interface Examination {
  /** The policy's `sandbox`. */
  readonly sandbox: SandboxPolicy;
  /** The wall that was tested; null: none could be raised. */
  readonly wall: WallName | null;
  readonly checks: readonly Checked[];
  /** Demanded checks that do not hold. */
  readonly failed: readonly string[];
}

/** Parts that tests replace. */
export interface DoctorSeams extends Partial<TrialSeams> {
  readonly raise?: typeof raiseWall;
}

/** Runs all checks of the walls; everything it started has ended when it resolves. `policyFile` is named in fixes. */
export async function examine(
  sandbox: SandboxPolicy,
  policyFile: string,
  seams: DoctorSeams = {},
): Promise<Examination> {
  const { raise = raiseWall, without = [], residentMb = RESIDENT_MB } = seams;
  let failure: string | undefined;
  const refused = (error: unknown): undefined => {
    failure ??= messageOf(error);
  };
  // If the demanded wall cannot be raised, the strongest available one shows what is missing.
  const wall = (await raise(sandbox, policyFile).catch(refused)) ?? (await raise("auto", policyFile).catch(refused));
  const raised = observe(`raise ${sandbox}`, failure !== undefined, failure ?? standing(wall));
  const judge = {
    sandbox,
    policyFile,
    wall,
    why: failure === undefined ? undefined : (wall?.lacks.join("; ") ?? failure),
  };
  if (wall === undefined) return verdict(judge, new Map([["wall.raised", [raised]]]));
  try {
    const folder = acquireRuntimeFolder();
    const set = await setTargets(DATA_MB);
    try {
      const program = placeTrialFiles(folder);
      const outcome = await runTrials(wall, set.targets, program, { without, residentMb });
      return verdict(judge, new Map([["wall.raised", [raised] as Probes], ...outcome]));
    } finally {
      await set.remove();
      releaseRuntimeFolder();
    }
  } finally {
    wall.release();
  }
}

function standing(wall: Wall | undefined): string {
  const lacks = wall === undefined || wall.lacks.length === 0 ? "" : `; ${wall.lacks.join("; ")}`;
  return `${wall?.name ?? "no wall"} was raised${lacks}`;
}

interface Judge {
  readonly sandbox: SandboxPolicy;
  readonly policyFile: string;
  readonly wall: Wall | undefined;
  /** Why the demanded wall could not be raised. */
  readonly why: string | undefined;
}

function verdict(judge: Judge, outcome: ReadonlyMap<string, Probes>): Examination {
  const { sandbox, wall } = judge;
  const checks = CHECKS.map((check): Checked => {
    const tried = outcome.get(check.name) ?? (wall === undefined ? "no wall could be raised to try it behind" : []);
    const attempts = typeof tried === "string" ? [] : tried;
    const through = attempts.filter((one) => one.through);
    // A check without any probe has not been shown to hold.
    const holds = typeof tried === "string" ? "skipped" : tried.length > 0 && through.length === 0 ? "yes" : "no";
    return {
      name: check.name,
      tries: check.tries,
      demanded: demanded(check, judge),
      holds,
      evidence: typeof tried === "string" ? tried : evidence(through.length > 0 ? through : attempts),
      fix: holds === "no" ? fix(check, judge) : null,
      attempts,
    };
  });
  const failed = failedDemanded(checks).map(({ name }) => name);
  return { sandbox, wall: wall?.name ?? null, checks, failed };
}

/** Checks of the runtime that can be made on Linux only. */
const LINUX: ReadonlySet<string> = new Set(["descriptors.none", "memory.resident"]);

/** Returns whether the policy demands a check; "auto" demands all of what the raised wall offers. */
function demanded({ name, part }: Check, { sandbox, wall }: Judge): boolean {
  const asked = sandbox === "auto" ? (wall?.name ?? "node") : sandbox;
  switch (part) {
    case "bubblewrap":
      return asked === "bubblewrap";
    case "filter":
      // An architecture without a filter is reported at every start, and not refused.
      return asked === "bubblewrap" && !(wall?.name === "bubblewrap" && wall.lacks.length > 0);
    case "flags":
      return asked !== "none";
    case "limits":
      return process.platform === "linux";
    case "runtime":
      return process.platform === "linux" || !LINUX.has(name);
  }
}

function fix({ name, part, fix: own }: Check, { wall, why, policyFile }: Judge): string {
  const osWall = name === "wall.raised" || part === "bubblewrap" || part === "filter";
  const missing = osWall ? wall?.name !== "bubblewrap" : part === "flags" && wall?.name === "none";
  if (!missing) return own;
  // If "auto" found a weaker wall, the wall says why.
  const reason = why ?? (wall?.name === "node" ? wall.lacks.slice(0, 1).find((one) => one !== ASKED_FOR) : undefined);
  return reason === undefined ? `set "sandbox": "bubblewrap" in ${policyFile}` : `raise bubblewrap: ${reason}`;
}

function evidence(attempts: readonly Probe[]): string {
  return attempts.map(({ what, said }) => `${what}: ${said}`).join("; ") || "it was not tried";
}
