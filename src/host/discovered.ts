/** What discovery finds, and how its errors are worded. */
import { DriverError, type ErrorCode } from "../driverapi/errors.js";
import { quote } from "../driverapi/quote.js";
import type { Manifest } from "./manifest/schema.js";

/** One plugin found in a plugins folder; no code of it has been read or run. */
export interface Discovered {
  /** File stem or folder name. With an `error` it may be no valid id: key Maps by it, never objects. */
  readonly id: string;
  readonly kind: "file" | "folder";
  /** The file or folder, absolute. */
  readonly path: string;
  /** The folder that everything it loads must lie in, absolute, links resolved. */
  readonly root: string;
  /** The code's file, absolute. */
  readonly entry?: string;
  readonly manifestPath?: string;
  /** The manifest's bytes as they were read: what the digest covers. */
  readonly manifestBytes?: Uint8Array;
  readonly manifest?: Manifest;
  /** The manifest's. */
  readonly version?: string;
  /** Why it cannot load. */
  readonly error?: DriverError;
}

/** The endings of code that loads. */
export const CODE_KINDS = [".js", ".mjs", ".ts"] as const;

/** `FILE: what is wrong`, as a DriverError of the plugin `id`. */
export function fileError(code: ErrorCode, id: string, path: string, rule: string): DriverError {
  return new DriverError(code, `${shownPath(path)}: ${rule}`, { plugin: id, file: path });
}

/** A path for a message; quoted where it holds characters that could forge a line of it. */
export function shownPath(path: string): string {
  return /[\p{C}\p{Zl}\p{Zp}]/u.test(path) ? quote(path) : path;
}
