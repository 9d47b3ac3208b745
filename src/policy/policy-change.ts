/** Changes the policy on disk under a lock file, so that concurrent changes do not undo each other. */

import { open, readFile, realpath, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { messageOf } from "../common/text.js";
import { DriverError } from "../driverapi/errors.js";
import type { JsonObject } from "../driverapi/json.js";
import { DOCUMENT_LIMITS } from "./limits.js";
import { type PolicyFile, policyRefused, readPolicyFile, writePolicyFile } from "./policy-file.js";

/** Interval between tries for a held lock, in milliseconds. */
const RETRY_MS = 20;

/** A policy's new text, and the change's result. */
export interface PolicyChange<T> {
  readonly raw: JsonObject;
  readonly result: T;
}

/**
 * Reads the policy at `path` and writes what `change` makes of it, excluding any other `changePolicyFile`. `change` gets the
 * current policy, and may throw: nothing is then written. With `absent: "empty"` the file is created if it does not exist.
 * Throws `ERR_POLICY_LOCKED` when another command keeps it locked, and `ERR_POLICY_INVALID`.
 */
export async function changePolicyFile<T>(
  path: string,
  options: { readonly absent?: "error" | "empty" },
  change: (file: PolicyFile) => PolicyChange<T>,
): Promise<T> {
  const unlock = await lock(path);
  try {
    const { raw, result } = change(await readPolicyFile(path, options));
    await writePolicyFile(path, raw);
    return result;
  } finally {
    await unlock();
  }
}

/** Acquires the lock by creating the lock file beside the policy. */
async function lock(path: string): Promise<() => Promise<void>> {
  // Beside the file itself, not beside a link to it.
  const target = await realpath(path).catch(() => path);
  const file = join(dirname(target), `.${basename(target)}.lock`);
  const end = performance.now() + DOCUMENT_LIMITS.policyLockMs;
  for (;;) {
    try {
      const handle = await open(file, "wx", 0o644);
      await handle.writeFile(`${process.pid}\n`).finally(() => handle.close());
      return () => rm(file, { force: true });
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "ENOENT") {
        const why = `it cannot be written: the folder ${dirname(target)} does not exist; create it first, or name another file`;
        throw policyRefused(path, why);
      }
      if (code !== "EEXIST") {
        const why = messageOf(error);
        throw policyRefused(path, `it cannot be written: ${why}`);
      }
      if (performance.now() >= end) throw await locked(path, file);
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}

async function locked(path: string, file: string): Promise<DriverError> {
  const text = await readFile(file, "utf8").catch(() => "");
  const holder = /^\d{1,10}\n$/.test(text) ? ` (process ${text.trim()})` : "";
  return new DriverError(
    "ERR_POLICY_LOCKED",
    `${path}: locked by another bulkhead command${holder} for over ${DOCUMENT_LIMITS.policyLockMs / 1000} s; if that no longer runs, remove ${file}`,
    { file: path },
  );
}
