/** Whether the sandbox of an endpoint is still there, as far as that can be seen from here. */
import { existsSync, statfsSync } from "node:fs";
import { dirname } from "node:path";
import type { EndpointRecord } from "../host/calls/records.js";

/** The file system that network namespaces are files of (linux/magic.h). */
const NSFS = 0x6e736673;

/** `none`: it is joined to none; `unseen`: the sandboxes' folder is not to be seen from here. */
export type SandboxState = "none" | "lives" | "gone" | "unseen";

export function sandboxState({ join }: Pick<EndpointRecord, "join">): SandboxState {
  if (join === undefined) return "none";
  const path = join.sboxKey;
  if (join.phase !== "live" || !path.startsWith("/") || !existsSync(dirname(path))) return "unseen";
  try {
    // An engine that crashed leaves the file behind, with nothing bound to it.
    return statfsSync(path).type === NSFS ? "lives" : "gone";
  } catch {
    return "gone";
  }
}
