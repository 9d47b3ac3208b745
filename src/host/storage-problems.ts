/** Tells operator and platform of a problem of the data folder: in the log, in the audit log, and as an event. */
import type { Logger } from "../common/logger.js";
import type { ProblemKind, StorageProblem } from "../storage/problems.js";
import type { Audit } from "./audit/audit.js";
import type { HostEmitter } from "./events.js";

const EFFECTS: Readonly<Record<ProblemKind, string>> = {
  full: "nothing new is accepted",
  checkpoint: "no checkpoint can replace the log, which grows; it is tried again",
  failed: "nothing more is recorded, and every change is refused",
};

export function storageProblem(
  problem: StorageProblem,
  { events, logger, audit }: { readonly events: HostEmitter; readonly logger: Logger; readonly audit: Audit },
): void {
  const { kind, code, reason, over } = problem;
  const words = over ? `over: ${EFFECTS[kind]} (${reason})` : `${EFFECTS[kind]}: ${reason}`;
  const line = `data folder: ${words}`;
  if (over) logger.info({ code }, line);
  else if (kind === "failed") logger.error({ code }, line);
  else logger.warn({ code }, line);
  audit.write({ event: "storage", code, detail: words });
  events.emit("storage:problem", { ...problem });
}
