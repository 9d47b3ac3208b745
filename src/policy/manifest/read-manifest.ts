/** Reads a manifest from disk. */
import { DriverError } from "../../driverapi/errors.js";
import { DOCUMENT_LIMITS } from "../limits.js";
import { parseManifest } from "./parse-manifest.js";
import { readRegularFile } from "./read-file.js";
import type { Manifest } from "./schema.js";

/** A manifest and the exact bytes it was parsed from, or the error. */
export type ReadManifest =
  | { readonly bytes: Uint8Array; readonly manifest: Manifest; readonly error?: undefined }
  | { readonly error: DriverError };

/**
 * Reads and parses the manifest of `id` at `path`. The error is `ERR_MANIFEST_MISSING`, `ERR_PLUGIN_FILE` (a link, a pipe),
 * or `ERR_MANIFEST_INVALID`. Never throws, never blocks.
 */
export async function readManifest(id: string, path: string): Promise<ReadManifest> {
  const read = await readRegularFile(path, { maxBytes: DOCUMENT_LIMITS.manifestBytes });
  const details = { plugin: id, file: path };
  if (read.kind === "absent") {
    const rule = `a plugin folder needs a manifest; write {} to it, and put the code into index.js, index.mjs or index.ts`;
    return { error: new DriverError("ERR_MANIFEST_MISSING", `${path}: ${rule}`, details) };
  }
  if (read.kind === "refused") {
    const [code, remedy] = read.irregular
      ? (["ERR_PLUGIN_FILE", "put the manifest itself there, a JSON text"] as const)
      : (["ERR_MANIFEST_INVALID", "a manifest is a short, readable JSON text"] as const);
    return { error: new DriverError(code, `${path}: ${read.why}; ${remedy}`, details) };
  }
  try {
    return { bytes: read.bytes, manifest: parseManifest(read.text, path, id) };
  } catch (error) {
    if (error instanceof DriverError) return { error };
    throw error;
  }
}
