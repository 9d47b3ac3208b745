/** The sha256 of what runs, which a policy pins. */
import { createHash } from "node:crypto";
import type { BundledFile } from "./messages.js";

/**
 * Hex sha256 over the sorted list of (path, sha256) of every file in the bundle, plus the manifest, plus how the files import
 * each other. What is hashed is JSON, `[[[path, sha256], …], [manifestPath, sha256] | null]`, with the hash of the imports behind
 * where there are any: no two lists are written alike.
 * `manifest`: the manifest's bytes as they stand in its file; undefined when the plugin has none.
 * `manifestPath`: its path relative to the plugin's folder. `imports`: hex; absent for a plugin of one file.
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

/** Hex sha256. */
export function sha256(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

/** By code units: the same order on every machine, whatever its locale. */
function byPath(a: readonly [string, string], b: readonly [string, string]): number {
  return a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0;
}
