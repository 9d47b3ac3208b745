/** What an executable that a platform runs sends to the daemon, and what it prints then. Types only. */
import type { Logger } from "../common/logger.js";
import type { OperatorHost } from "../host/operator-host.js";
import type { Attachments } from "./attachments.js";

/** What the executable was started with. */
export interface ExecutableRequest {
  /** The network type that it serves. */
  readonly driver: string;
  readonly args: readonly string[];
  /** The platform's variables only. */
  readonly env: Readonly<Record<string, string>>;
  /** Its standard input. */
  readonly input: string;
}

/** What it does then. */
export interface ExecutableReply {
  readonly exit: number;
  /** For its standard output. */
  readonly output: string;
}

/** A platform's part of the daemon, opened at the first request of its executables, or if attachments of an earlier daemon exist. */
export interface PlatformService {
  /** Rejects with a fault of the daemon only: refusals are replies. */
  answer(request: ExecutableRequest): Promise<ExecutableReply>;
  /** Called once, before the daemon is ready, if attachments of an earlier daemon exist. Serves what they need. */
  resume?(): Promise<void>;
  /** Called after the cleanup of an earlier run, and periodically. Never rejects. */
  settled?(): Promise<void>;
  close?(): Promise<void>;
}

/** Opens a platform's part. */
export type OpenPlatform = (attachments: Attachments, host: OperatorHost, logger: Logger) => PlatformService;

/** Answers a platform's executables. Rejects with a fault of the daemon only: refusals are replies. */
export type AnswerExecutable = (
  request: ExecutableRequest,
  attachments: Attachments,
  host: OperatorHost,
) => Promise<ExecutableReply>;
