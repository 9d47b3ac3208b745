/** `POST /v1/plugins/{id}/profile`: a profile of a plugin's worker while it serves, read in a thread of its own. */
import { Worker } from "node:worker_threads";
import { escapeLine } from "../common/escape.js";
import { messageOf } from "../common/text.js";
import { DriverError } from "../driverapi/errors.js";
import type { OperatorHost } from "../host/operator-host.js";
import type { ProfileKind } from "../isolation/profiling.js";
import { PROFILE } from "./limits.js";
import type { RawProfile, ReadProfile } from "./read-profile.js";

/**
 * Resolves with the reply as JSON: the profile, and its functions by their own time or bytes. Rejects with
 * `ERR_PROFILE_UNAVAILABLE`, and with `ERR_PROFILE_FAILED`, also once `gone` is aborted.
 */
export async function takeProfile(
  host: OperatorHost,
  id: string,
  { kind, seconds = PROFILE.seconds }: { readonly kind: ProfileKind; readonly seconds?: number | undefined },
  gone?: AbortSignal,
): Promise<string> {
  try {
    const { text, sourceMap } = await host.profile(id, kind, seconds * 1000, gone);
    const read = await readApart({ of: kind, text, sourceMap });
    if ("refused" in read) throw new Error(`what its engine sent is not a profile: ${read.refused}`);
    const head = JSON.stringify({ plugin: id, kind, seconds, functions: read.functions });
    return `${head.slice(0, -1)},"profile":${read.profile}}`;
  } catch (error) {
    if (error instanceof DriverError) throw error;
    const why = escapeLine(messageOf(error), 500);
    throw new DriverError("ERR_PROFILE_FAILED", `plugin "${id}": no profile was taken: ${why}`, { plugin: id });
  }
}

function readApart(raw: RawProfile): Promise<ReadProfile> {
  const thread = new Worker(new URL("./profile-thread.js", import.meta.url), {
    workerData: raw,
    env: {},
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: PROFILE.readMb },
  });
  return new Promise<ReadProfile>((resolve, reject) => {
    const late = setTimeout(
      () => reject(new Error(`it could not be read within ${PROFILE.readMs} ms`)),
      PROFILE.readMs,
    );
    thread.once("message", resolve);
    thread.on("error", reject);
    thread.once("exit", () => {
      clearTimeout(late);
      reject(new Error("the thread that read it has ended"));
    });
  }).finally(() => thread.terminate());
}
