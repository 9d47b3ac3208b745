/** The policy on disk: read with a size limit, written atomically. */

import { randomBytes } from "node:crypto";
import { open, realpath, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { messageOf } from "../common/text.js";
import type { JsonObject } from "../driverapi/json.js";
import { DOCUMENT_LIMITS } from "./limits.js";
import { failure } from "./manifest/document.js";
import { readJsonText } from "./manifest/json-text.js";
import { readRegularFile } from "./manifest/read-file.js";
import { parsePolicy } from "./parse-policy.js";
import type { Policy } from "./schema.js";

/** A policy as it was read: checked, and raw with its keys in the operator's order. */
export interface PolicyFile {
  readonly path: string;
  readonly policy: Policy;
  readonly raw: JsonObject;
  /** False if the file does not exist yet. */
  readonly exists: boolean;
}

/**
 * Reads the policy at `path`. With `absent: "empty"` a file that does not exist reads as `{}`. Throws `ERR_POLICY_INVALID`,
 * also for a file that is missing, unreadable, too large or not a regular file.
 */
export async function readPolicyFile(path: string, options: { absent?: "error" | "empty" } = {}): Promise<PolicyFile> {
  const read = await readRegularFile(path, { maxBytes: DOCUMENT_LIMITS.policyBytes, followLink: true });
  if (read.kind === "absent" && options.absent === "empty") return { path, policy: {}, raw: {}, exists: false };
  if (read.kind === "absent")
    throw policyRefused(
      path,
      "the file does not exist; create it, for example with `bulkhead grant ID`, or name another one",
    );
  if (read.kind === "refused") throw policyRefused(path, read.why);
  const policy = parsePolicy(read.text, path);
  const raw = readJsonText(read.text, (rule, place) => {
    throw failure({ code: "ERR_POLICY_INVALID", file: path }, rule, place);
  });
  return { path, policy, raw: raw.value as JsonObject, exists: true };
}

/**
 * Checks `raw` and writes it to `path` through a file beside it, flushed and then renamed, so that a reader never sees half a
 * policy. Writes through a link, and keeps the mode of an existing file. Throws `ERR_POLICY_INVALID`.
 */
export async function writePolicyFile(path: string, raw: JsonObject): Promise<void> {
  parsePolicy(raw, path);
  const text = `${JSON.stringify(raw, undefined, 2)}\n`;
  if (Buffer.byteLength(text) > DOCUMENT_LIMITS.policyBytes)
    throw policyRefused(path, `it would exceed ${DOCUMENT_LIMITS.policyBytes} bytes; remove entries`);
  let temporary: string | undefined;
  try {
    const target = await realpath(path).catch(() => path);
    const mode = await stat(target).then(
      (found) => found.mode & 0o777,
      () => 0o644,
    );
    temporary = join(dirname(target), `.${basename(target)}.${randomBytes(6).toString("hex")}~`);
    const handle = await open(temporary, "wx", mode);
    try {
      await handle.writeFile(text);
      await handle.chmod(mode);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, target);
  } catch (error) {
    if (temporary !== undefined) await rm(temporary, { force: true }).catch(() => {});
    throw policyRefused(path, `it cannot be written: ${messageOf(error)}`);
  }
}

/** Returns an `ERR_POLICY_INVALID` about the whole file at `path`. */
export function policyRefused(path: string, why: string): Error {
  return failure({ code: "ERR_POLICY_INVALID", file: path }, why);
}
