/** The state of an endpoint's sandbox, as far as this process can see it. */
import { existsSync, statfsSync } from "node:fs";
import { dirname } from "node:path";
import type { EndpointRecord } from "../host/calls/record.js";

/** The file system of network namespaces (linux/magic.h). */
const NSFS = 0x6e736673;

/** `none`: not joined; `unseen`: cannot be told: the join is pending, or the folder of the sandboxes is not visible here. */
export type SandboxState = "none" | "lives" | "gone" | "unseen";

export function sandboxState({ join }: Pick<EndpointRecord, "join">): SandboxState {
  if (join === undefined) return "none";
  const path = join.sboxKey;
  if (join.phase !== "live" || !path.startsWith("/") || !existsSync(dirname(path))) return "unseen";
  try {
    // A crashed engine leaves the file behind, with no namespace mounted on it.
    return statfsSync(path).type === NSFS ? "lives" : "gone";
  } catch {
    return "gone";
  }
}
