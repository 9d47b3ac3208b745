/** Receives frames from one worker: counts them, reads their messages, and charges the plugin for the reading. */

import { Rate } from "../common/rate.js";
import type { ErrorCode } from "../driverapi/errors.js";
import type { HostTime } from "../permissions/host-time.js";
import { HOST_TIME } from "../permissions/limits.js";
import { decodeUp, ProtocolViolation } from "../protocol/frame.js";
import { LIMITS } from "../protocol/limits.js";
import type { UpMessage } from "../protocol/messages.js";
import { readUpMessage } from "../protocol/read-up.js";
import { SESSION } from "./limits.js";

export interface IncomingOptions {
  /** The routing header of every frame of this worker. */
  readonly header: string;
  /** The account that is charged. */
  readonly time: HostTime;
  /** Returns false once its worker has ended: nothing more is read then. */
  alive(): boolean;
  /** Called with the number of frames the worker has seen. Throws `ProtocolViolation` if that many were never sent. */
  acknowledged(count: number): void;
  /** Returns the number of calls in flight: a frame that lowers it brought replies the host asked for. */
  pending(): number;
  /** Handles one message. Throws `ProtocolViolation`. */
  handle(message: UpMessage): void;
  violate(code: ErrorCode, detail: string): void;
}

/** Frames of up to this many characters cost less to read than to measure. */
const SMALL_FRAME = 4096;
/** Fixed cost of every frame, in milliseconds. */
const FRAME_MS = 0.005;
/** Messages that may come with the reply to a call: its driver's requests and log lines meanwhile. */
const MESSAGES_OF_CALL = 32;

export class Incoming {
  readonly #options: IncomingOptions;
  readonly #frames = new Rate(LIMITS.framesPerSecond);
  readonly #chars = new Rate(LIMITS.frameCharsPerSecond);
  #slowTold = false;

  constructor(options: IncomingOptions) {
    this.#options = options;
  }

  receive(data: unknown): void {
    const { alive, violate, header, acknowledged, pending } = this.#options;
    if (!alive()) return;
    try {
      if (!this.#frames.spend(1)) {
        violate("ERR_FLOOD", `more than ${LIMITS.framesPerSecond} frames in a second`);
        return;
      }
      if (typeof data === "string" && !this.#chars.spend(data.length)) {
        violate("ERR_FLOOD", `more than ${LIMITS.frameCharsPerSecond} characters of frames in a second`);
        return;
      }
      const began = performance.now();
      const { ack, messages } = decodeUp(header, data);
      let cost = performance.now() - began;
      const { length } = data as string;
      acknowledged(ack);
      const before = pending();
      for (const message of messages) {
        const reading = length > SMALL_FRAME ? performance.now() : 0;
        const read = readUpMessage(message);
        if (length > SMALL_FRAME) cost += performance.now() - reading;
        this.#options.handle(read);
        if (!alive()) return;
      }
      this.#pay(Math.min(cost, readingMs(length)) + FRAME_MS, before - pending(), messages.length);
    } catch (error) {
      // Any other error is a bug of the host, triggered by a hostile frame: it ends the worker, not the platform.
      violate("ERR_PROTOCOL", error instanceof ProtocolViolation ? error.message : "the host failed to handle a frame");
    }
  }

  /** Returns the message when the plugin's requests start to be delayed; undefined otherwise, and until the delays have ended. */
  slowed(): string | undefined {
    const slow = this.#options.time.owedMs > SESSION.blockMs;
    const told = this.#slowTold;
    this.#slowTold = slow;
    if (!slow || told) return undefined;
    return "its requests use more than their share of the host's own thread, and are delayed";
  }

  /**
   * Charges for reading. Replies, with up to `MESSAGES_OF_CALL` messages each, are charged only beyond `HOST_TIME.replyMs` per
   * reply.
   */
  #pay(cost: number, replies: number, messages: number): void {
    const { time, violate } = this.#options;
    const unasked = replies === 0 ? 1 : Math.max(0, messages - replies * MESSAGES_OF_CALL) / messages;
    const own = cost * (1 - unasked) - replies * HOST_TIME.replyMs;
    if (own > 0) time.spend(own);
    if (unasked === 0) return;
    time.spendUnasked(cost * unasked);
    if (!time.overdrawn) return;
    time.reduceDebt();
    violate("ERR_FLOOD", "reading its messages used more than its share of the host's own thread");
  }
}

/**
 * Returns the most that is charged for reading so many characters, in milliseconds: the thread may have waited for the CPU.
 */
function readingMs(chars: number): number {
  return 0.05 + chars / 5_000;
}
