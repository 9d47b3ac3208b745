/** Errors about a data folder. */

import { dirname } from "node:path";
import { messageOf } from "../common/text.js";
import { DriverError } from "../driverapi/errors.js";

/** Returns the error for a damaged `file`; `why` says what was found in it. */
export function corrupt(file: string, why: string): DriverError {
  return new DriverError(
    "ERR_JOURNAL_CORRUPT",
    `${file} is damaged: ${why}; to recover what can still be read: bulkhead state --data-dir ${dirname(file)} --recover`,
    { file },
  );
}

/** Advice for errors that the system reports for a path. */
const REMEDIES: Readonly<Record<string, string>> = {
  ENOENT: "it does not exist; name the folder with --data-dir (dataDir of createPluginHost)",
  ENOTDIR: "it is not a folder; name the folder with --data-dir (dataDir of createPluginHost)",
  EACCES: "this account may not access it; run as its owner",
};

export function unusable(folder: string, cause: unknown): DriverError {
  const known = REMEDIES[(cause as NodeJS.ErrnoException | undefined)?.code ?? ""];
  const why = known ?? messageOf(cause);
  return new DriverError("ERR_DATA_DIR", `the data folder ${folder} cannot be used: ${why}`, { file: folder, cause });
}

export function notTaken(file: string, cause: unknown): DriverError {
  const why = messageOf(cause);
  const remedy = "nothing more is written to it; repair the disk or free space, and restart the host";
  return new DriverError("ERR_JOURNAL_FAILED", `${file}: a write failed (${why}); ${remedy}`, { file, cause });
}
