/** The sha256 of a plugin, which a policy pins. */
import { createHash } from "node:crypto";
import type { BundledFile } from "./messages.js";

/**
 * Returns the hex sha256 of JSON: `[[[path, sha256], …], [manifestPath, sha256] | null]`, the files sorted by path, followed by
 * `imports` if given. `manifest`: its bytes, undefined if there is none; `manifestPath`: relative to the plugin's folder;
 * `imports`: the hex digest of how the files import each other.
 */
export function pluginDigest(
  files: readonly BundledFile[],
  manifest: Uint8Array | undefined,
  manifestPath: string = "plugin.json",
  imports?: string,
): string {
  const pairs = files.map((file): [string, string] => [file.path, file.sha256]).sort(byPath);
  const manifestPair = manifest ? [manifestPath, sha256(manifest)] : null;
  return sha256(JSON.stringify([pairs, manifestPair, ...(imports === undefined ? [] : [imports])]));
}

/** Returns the hex sha256. */
export function sha256(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

/** Compares by code units: the same order in every locale. */
function byPath(a: readonly [string, string], b: readonly [string, string]): number {
  return a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0;
}
