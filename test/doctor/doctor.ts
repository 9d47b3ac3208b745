/** Runs `bulkhead doctor` in the test's own process, with a wall of the test's choice. */
import { doctor } from "#dist/cli/doctor.js";
import { runReported } from "#dist/cli/output.js";
import type { CheckResult } from "#dist/doctor/check-result.js";
import type { Checked, DoctorSeams } from "#dist/doctor/doctor.js";

export interface Told {
  readonly exit: number;
  readonly out: string;
  readonly err: string;
}

export interface Json {
  readonly ok: boolean;
  readonly sandbox: string;
  readonly wall: string | null;
  readonly checks: readonly Checked[];
  readonly network: readonly CheckResult[];
  readonly error?: { readonly code: string; readonly message: string };
}

/** `policy`: the policy's file, which need not be there. */
export async function run(policy: string, json: boolean, seams?: DoctorSeams, netns?: string): Promise<Told> {
  let out = "";
  let err = "";
  const streams = {
    out: (text: string): void => {
      out += text;
    },
    err: (text: string): void => {
      err += text;
    },
  };
  const exit = await runReported(json, streams, () => doctor({ policy, policyNamed: false, netns }, seams));
  return { exit, out, err };
}
