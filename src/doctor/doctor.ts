/** Raises the wall that a policy demands, tries all of it from inside, and judges. */
import { messageOf } from "../common/text.js";
import { ASKED_FOR, raiseWall } from "../isolation/walls/raise.js";
import { acquireRuntimeFolder, releaseRuntimeFolder } from "../isolation/walls/runtime-folder.js";
import type { SandboxPolicy, Wall, WallName } from "../isolation/walls/wall.js";
import { type CheckResult, demandedButDown } from "./check-result.js";
import { CHECKS, type Check } from "./checks.js";
import { observe, type Probe, type Probes } from "./probe.js";
import { setTargets } from "./targets.js";
import { placeTrialFiles } from "./trial-files.js";
import { DATA_MB, RESIDENT_MB, runTrials, type TrialSeams } from "./trials.js";

export interface Checked extends CheckResult {
  /** All that was tried. */
  readonly attempts: readonly Probe[];
}

export interface Examination {
  /** What the policy says. */
  readonly sandbox: SandboxPolicy;
  /** What stood while it was tried; null: nothing could be. */
  readonly wall: WallName | null;
  readonly checks: readonly Checked[];
  /** Demanded checks that do not hold. */
  readonly down: readonly string[];
}

/** What tests exchange. */
export interface DoctorSeams extends Partial<TrialSeams> {
  readonly raise?: typeof raiseWall;
}

/** Everything it starts has ended when it resolves. `policyFile` is for the words of a fix. */
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
  // Where the demanded one cannot stand, the strongest there is shows what is missing without it.
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
  return `${wall?.name ?? "nothing"} stands${lacks}`;
}

interface Judge {
  readonly sandbox: SandboxPolicy;
  readonly policyFile: string;
  readonly wall: Wall | undefined;
  /** Why the demanded wall does not stand. */
  readonly why: string | undefined;
}

function verdict(judge: Judge, outcome: ReadonlyMap<string, Probes>): Examination {
  const { sandbox, wall } = judge;
  const checks = CHECKS.map((check): Checked => {
    const tried = outcome.get(check.name) ?? (wall === undefined ? "no wall could be raised to try it behind" : []);
    const attempts = typeof tried === "string" ? [] : tried;
    const through = attempts.filter((one) => one.through);
    // A check of which nothing was heard has not been shown to hold.
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
  const down = demandedButDown(checks).map(({ name }) => name);
  return { sandbox, wall: wall?.name ?? null, checks, down };
}

/** What the runtime does itself, and can do, or be seen to do, on Linux alone. */
const LINUX: ReadonlySet<string> = new Set(["descriptors.none", "memory.resident"]);

/** What the policy's word asks for; "auto" asks for all of what stands. */
function demanded({ name, part }: Check, { sandbox, wall }: Judge): boolean {
  const asked = sandbox === "auto" ? (wall?.name ?? "node") : sandbox;
  switch (part) {
    case "bubblewrap":
      return asked === "bubblewrap";
    case "filter":
      // A machine for which no filter is known is told so at every start, and not refused.
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
  // Where "auto" has found less, the wall says why.
  const reason = why ?? (wall?.name === "node" ? wall.lacks.slice(0, 1).find((one) => one !== ASKED_FOR) : undefined);
  return reason === undefined ? `set "sandbox": "bubblewrap" in ${policyFile}` : `raise bubblewrap: ${reason}`;
}

function evidence(attempts: readonly Probe[]): string {
  return attempts.map(({ what, said }) => `${what}: ${said}`).join("; ") || "nothing was heard of it";
}
