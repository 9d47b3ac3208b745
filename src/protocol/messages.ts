/**
 * The messages a host and a worker exchange. Calls both ways are comlink's wire format
 * (`{ id, type: "APPLY", path, argumentList }` and `{ id, type: "RAW" | "HANDLER", … }`), carried in frames (frame.ts).
 */
import type { ErrorCode, ErrorKind } from "../driverapi/errors.js";
import type { Json, JsonObject } from "../driverapi/json.js";
import type { DriverMethod, OptionalDriverMethod } from "../driverapi/types.js";

/** Raised whenever a message changes its shape. The handshake compares it. */
export const PROTOCOL_VERSION = 2;

/** A value on comlink's wire. */
export interface RawValue {
  readonly type: "RAW";
  readonly value?: Json;
}

/** comlink's request: the only kind either side of Bulkhead sends. */
export interface ApplyRequest {
  readonly id: number | string;
  readonly type: "APPLY";
  readonly path: readonly [string];
  readonly argumentList: readonly RawValue[];
}

/** What comlink's `throw` handler carries here: more than comlink's own, which loses code and cause. */
export interface ThrownValue {
  readonly name: string;
  readonly message: string;
  readonly code?: string;
  readonly kind?: string;
  /** Mapped to the author's sources; for the host's eyes only. */
  readonly stack?: string;
  readonly file?: string;
  readonly line?: number;
  /** What caused it, up to `LIMITS.thrownDepth` deep. */
  readonly cause?: ThrownValue;
  /** The errors of an AggregateError, the first `LIMITS.thrownErrors`. */
  readonly errors?: readonly ThrownValue[];
}

/** comlink's reply: a value, or a thrown error. */
export type Reply =
  | { readonly id: number | string; readonly type: "RAW"; readonly value?: Json }
  | { readonly id: number | string; readonly type: "HANDLER"; readonly name: "throw"; readonly value: ThrownValue };

/** Host → worker: run this plugin. The first message of a session, and only once. */
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

/** Host → worker. */
export type DownMessage =
  | StartMessage
  /** A driver call. `expires`: monotonic milliseconds (process.hrtime) after which it must not start. */
  | { readonly kind: "call"; readonly expires: number; readonly message: ApplyRequest }
  /** Answers a worker's request. */
  | { readonly kind: "answer"; readonly message: Reply }
  /** The caller is gone: fire the call's AbortSignal. */
  | { readonly kind: "cancel"; readonly id: number }
  /** Any frame is acknowledged on receipt; this one does nothing else. */
  | { readonly kind: "ping" };

/** Worker → host. Everything here is hostile until read by `readUpMessage`. */
export type UpMessage =
  /** Locked down and waiting: the first message. */
  | { readonly kind: "hello"; readonly protocol: number; readonly runtime: string; readonly thread: number }
  /** `init` has returned. */
  | { readonly kind: "started" }
  /** Evaluation or `init` failed. */
  | { readonly kind: "failed"; readonly stage: "load" | "export" | "init" | "protocol"; readonly error: ThrownValue }
  | { readonly kind: "reply"; readonly message: Reply }
  | { readonly kind: "request"; readonly message: ApplyRequest }
  | { readonly kind: "notice"; readonly name: string; readonly args: readonly Json[] }
  /** A call had expired before it could start; it was not run. */
  | { readonly kind: "dropped"; readonly id: number }
  /** A stray throw or rejection; the worker ends right after. */
  | { readonly kind: "crashed"; readonly origin: string; readonly error: ThrownValue };

/** What the host gives a plugin as an error. */
export interface HostError {
  readonly code: ErrorCode;
  readonly kind: ErrorKind;
  readonly message: string;
}

/** The methods the host calls in the worker, each with the driver's index first: all but `type`, which is asked once, there. */
export type WorkerMethod = Exclude<DriverMethod, "type"> | OptionalDriverMethod;

/** The shared cell between host and worker: a hint about what runs, never trusted alone. */
export const CELL = {
  /** Id of the driver call whose synchronous part runs; 0: none; -1: the bundle is being evaluated. */
  running: 0,
  /** Highest call id that has been started. */
  started: 1,
  /** Length in 32-bit words. */
  length: 2,
} as const;
