/**
 * Messages between host and worker. Calls both ways use comlink's wire format (`{ id, type: "APPLY", path, argumentList
 * }` and `{ id, type: "RAW" | "HANDLER", … }`), carried in frames (frame.ts). README.md here is the whole protocol.
 */
import type { ErrorCode, ErrorKind } from "../driverapi/errors.js";
import type { Json, JsonObject } from "../driverapi/json.js";
import type { DriverMethod, OptionalDriverMethod } from "../driverapi/types.js";
import { LIMITS } from "./limits.js";

/** Raised whenever a message changes its shape; the handshake compares it. */
export const PROTOCOL_VERSION = 3;

/** A value on comlink's wire. */
export interface RawValue {
  readonly type: "RAW";
  readonly value?: Json;
}

/** comlink's request: the only kind that either side of Bulkhead sends. */
export interface ApplyRequest {
  readonly id: number | string;
  readonly type: "APPLY";
  readonly path: readonly [string];
  readonly argumentList: readonly RawValue[];
}

/** What comlink's `throw` handler carries here: more than comlink's own, which loses `code` and `cause`. */
export interface ThrownValue {
  readonly name: string;
  readonly message: string;
  readonly code?: string;
  readonly kind?: string;
  /** Mapped to the author's sources; only the host sees it. */
  readonly stack?: string;
  readonly file?: string;
  readonly line?: number;
  /** The error's cause, up to `LIMITS.thrownDepth` deep. */
  readonly cause?: ThrownValue;
  /** The errors of an AggregateError, the first `LIMITS.thrownErrors`. */
  readonly errors?: readonly ThrownValue[];
}

/** Names of the texts that a thrown value need not have. */
export type ThrownText = "code" | "kind" | "stack" | "file";

/** The texts a thrown value may carry beside name and message, and how many characters of each are read. */
export const THROWN_TEXTS: Readonly<Record<ThrownText, number>> = {
  code: 64,
  kind: 32,
  stack: 4 * LIMITS.messageChars,
  file: 512,
};

/** comlink's reply: a value, or a thrown error. */
export type Reply =
  | { readonly id: number | string; readonly type: "RAW"; readonly value?: Json }
  | { readonly id: number | string; readonly type: "HANDLER"; readonly name: "throw"; readonly value: ThrownValue };

/** Host → worker: run this plugin. The first message of a session, sent once. */
export interface StartMessage {
  readonly kind: "start";
  readonly protocol: number;
  readonly runtime: string;
  readonly plugin: string;
  /** The bundle: a script that defines the plugin's exports. */
  readonly code: string;
  readonly sourceMap: string;
  /** Granted permissions by name, with their limits. */
  readonly grant: JsonObject;
}

/** A driver call as it travels; the worker's end makes comlink's message of it (`decodeDown`). */
export type CompactCall = readonly [method: string, id: number, expires: number, index: number, ...args: Json[]];

/** Host → worker. */
export type DownMessage =
  | StartMessage
  /** A driver call. `expires`: monotonic milliseconds (process.hrtime) after which it must not start. */
  | { readonly kind: "call"; readonly expires: number; readonly message: ApplyRequest }
  /** The reply to a worker's request. */
  | { readonly kind: "answer"; readonly message: Reply }
  /** The caller has gone: fire the call's AbortSignal. */
  | { readonly kind: "cancel"; readonly id: number }
  /** Does nothing itself: every frame is acknowledged on receipt. */
  | { readonly kind: "ping" };

/** Worker → host. Everything here is untrusted until `readUpMessage` has read it. */
export type UpMessage =
  /** The first message: locked down and waiting. */
  | { readonly kind: "hello"; readonly protocol: number; readonly runtime: string; readonly thread: number }
  /** `init` has returned. */
  | { readonly kind: "started" }
  /** Evaluation or `init` failed. */
  | { readonly kind: "failed"; readonly stage: "load" | "export" | "init" | "protocol"; readonly error: ThrownValue }
  /** The reply to a call; a value travels as `[id, value]`. */
  | { readonly kind: "reply"; readonly message: Reply }
  | { readonly kind: "request"; readonly message: ApplyRequest }
  | { readonly kind: "notice"; readonly name: string; readonly args: readonly Json[] }
  /** A call had expired before it could start, and was not run. */
  | { readonly kind: "dropped"; readonly id: number }
  /** A stray throw or rejection; the worker ends right after it. */
  | { readonly kind: "crashed"; readonly origin: string; readonly error: ThrownValue };

/** The form in which the host gives a plugin an error. */
export interface HostError {
  readonly code: ErrorCode;
  readonly kind: ErrorKind;
  readonly message: string;
}

/**
 * Methods the host calls in the worker, each with the driver's index first: all but `type`, which the worker calls once
 * itself.
 */
export type WorkerMethod = Exclude<DriverMethod, "type"> | OptionalDriverMethod;

/** The shared cell between host and worker: a hint about what is running, never trusted alone. */
export const CELL = {
  /** Id of the driver call whose synchronous part is running; 0: none; -1: the bundle is being evaluated. */
  running: 0,
  /** Highest call id that has been started. */
  started: 1,
  /** Length in 32-bit words. */
  length: 2,
} as const;
