/** Why a plugin cannot be bundled; the platform's side turns it into a `DriverError`. */
import type { Failure, FailureCode } from "./messages.js";

/** A position in the author's sources. */
export interface SourcePosition {
  /** Relative to the plugin's folder, with `/`. */
  readonly file: string;
  /** From 1. */
  readonly line?: number | undefined;
  /** From 1. */
  readonly column?: number | undefined;
}

/** A fault of the plugin. `message` says what happened and what to do; the reply puts the position before it. */
export class BundleRefusal extends Error {
  readonly code: FailureCode;
  readonly at: SourcePosition | undefined;

  constructor(code: FailureCode, message: string, at?: SourcePosition) {
    super(message);
    this.code = code;
    this.at = at;
  }

  /** Returns the same refusal, at the position in the author's file that caused it. */
  seenAt(at: SourcePosition | undefined): BundleRefusal {
    return new BundleRefusal(this.code, this.message, at ?? this.at);
  }

  /** Returns the reply to send. */
  toFailure(): Failure {
    const { code, message, at } = this;
    if (!at) return { ok: false, code, message };
    // A message about a whole file may already begin with its name.
    if (at.line === undefined && message.startsWith(`${at.file} `)) return { ok: false, code, message, file: at.file };
    const where = [at.file, at.line, at.line === undefined ? undefined : at.column].filter(
      (part) => part !== undefined,
    );
    return { ok: false, code, message: `${where.join(":")}: ${message}`, file: at.file, line: at.line };
  }
}
