/** What discovery finds, and the wording of its errors. */

import { quote } from "../common/quote.js";
import { DriverError, type ErrorCode } from "../driverapi/errors.js";
import type { ReadManifest } from "../policy/manifest/read-manifest.js";
import type { Manifest } from "../policy/manifest/schema.js";

/** One plugin found in a plugins folder; no code of it has been read or run. */
export interface Discovered {
  /** File stem or folder name. With an `error` it may not be a valid id: use it as a key of Maps, never of objects. */
  readonly id: string;
  readonly kind: "file" | "folder";
  /** The file or folder, absolute. */
  readonly path: string;
  /** The folder that must contain everything it loads, absolute, with links resolved. */
  readonly root: string;
  /** The code's file, absolute. */
  readonly entry?: string;
  readonly manifestPath?: string;
  /** The manifest's bytes as they were read; the digest covers them. */
  readonly manifestBytes?: Uint8Array;
  readonly manifest?: Manifest;
  /** The manifest's `version`. */
  readonly version?: string;
  /** Why it cannot load. */
  readonly error?: DriverError;
}

/** Returns a plugin with the manifest that was read for it. */
export function withManifest<P extends Discovered>(
  plugin: P,
  manifestPath: string,
  { bytes, manifest }: Exclude<ReadManifest, { readonly error: DriverError }>,
): P & Discovered {
  const { version } = manifest;
  return { ...plugin, manifestPath, manifestBytes: bytes, manifest, ...(version === undefined ? {} : { version }) };
}

/** Extensions of code that can be loaded. */
export const CODE_KINDS = [".js", ".mjs", ".ts"] as const;

/** Returns `FILE: what is wrong`, as a DriverError of the plugin `id`. */
export function fileError(code: ErrorCode, id: string, path: string, rule: string): DriverError {
  return new DriverError(code, `${shownPath(path)}: ${rule}`, { plugin: id, file: path });
}

/** Returns a path for a message; quoted if it holds characters that could forge a line. */
export function shownPath(path: string): string {
  return /[\p{C}\p{Zl}\p{Zp}]/u.test(path) ? quote(path) : path;
}
