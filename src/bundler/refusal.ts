/** Why a plugin cannot be bundled, as the bundler process says it; the platform's side makes a `DriverError` of it. */
import type { Failure, FailureCode } from "./messages.js";

/** Where in the author's sources. */
export interface SourcePosition {
  /** Relative to the plugin's folder, with `/`. */
  readonly file: string;
  /** From 1. */
  readonly line?: number | undefined;
  /** From 1. */
  readonly column?: number | undefined;
}

/** A plugin's fault. `message` says what happened and what to do; the position is put before it when it is answered. */
export class BundleRefusal extends Error {
  readonly code: FailureCode;
  readonly at: SourcePosition | undefined;

  constructor(code: FailureCode, message: string, at?: SourcePosition) {
    super(message);
    this.code = code;
    this.at = at;
  }

  /** The same fault, seen where an author's file caused it. */
  seenAt(at: SourcePosition | undefined): BundleRefusal {
    return new BundleRefusal(this.code, this.message, at ?? this.at);
  }

  /** What goes through the pipe. */
  toFailure(): Failure {
    const { code, message, at } = this;
    if (!at) return { ok: false, code, message };
    // Many a fault of a file as a whole begins with its name.
    if (at.line === undefined && message.startsWith(`${at.file} `)) return { ok: false, code, message, file: at.file };
    const where = [at.file, at.line, at.line === undefined ? undefined : at.column].filter(
      (part) => part !== undefined,
    );
    return { ok: false, code, message: `${where.join(":")}: ${message}`, file: at.file, line: at.line };
  }
}
