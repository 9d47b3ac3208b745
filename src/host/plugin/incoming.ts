/** What comes from one worker: counted, read message by message, and the reading charged to its plugin. */
import type { ErrorCode } from "../../driverapi/errors.js";
import type { HostTime } from "../../permissions/host-time.js";
import { decodeUp, ProtocolViolation } from "../../protocol/frame.js";
import { LIMITS, TIMES } from "../../protocol/limits.js";
import type { UpMessage } from "../../protocol/messages.js";
import { readUpMessage } from "../../protocol/read-up.js";
import { Budget } from "./budget.js";

export interface IncomingOptions {
  /** Every frame of this worker bears it. */
  readonly header: string;
  /** At whose expense. */
  readonly time: HostTime;
  /** False once its worker has been ended: then nothing more is looked at. */
  alive(): boolean;
  /** The worker has seen all frames up to this number. Throws `ProtocolViolation` for what was never sent. */
  acknowledged(count: number): void;
  /** Calls in flight: those that a frame answers were asked for. */
  pending(): number;
  /** Throws `ProtocolViolation`. */
  handle(message: UpMessage): void;
  violate(code: ErrorCode, detail: string): void;
}

/** Frames of up to so many characters cost less to read than it costs to measure that. */
const SMALL_FRAME = 4096;
/** What every frame costs besides, in milliseconds. */
const FRAME_MS = 0.005;
/** Messages that may come with the answer to a call: what its driver asks and logs meanwhile. */
const MESSAGES_OF_CALL = 32;

export class Incoming {
  readonly #options: IncomingOptions;
  readonly #frames = new Budget(LIMITS.framesPerSecond);
  readonly #chars = new Budget(LIMITS.frameCharsPerSecond);
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
      // Whatever else is thrown here is a fault of ours, met on a hostile frame: it costs the worker, not the platform.
      violate("ERR_PROTOCOL", error instanceof ProtocolViolation ? error.message : "a frame the host failed on");
    }
  }

  /** What its plugin is told of when it has come to be slowed down: once each time. */
  slowed(): string | undefined {
    const slow = this.#options.time.owedMs > TIMES.block;
    const told = this.#slowTold;
    this.#slowTold = slow;
    if (!slow || told) return undefined;
    return "what it asks takes more than its part of the platform's own thread, and waits";
  }

  /** What was asked of it is read at the platform's own expense, with as much beside each answer as belongs to a call. */
  #pay(cost: number, replies: number, messages: number): void {
    const { time, violate } = this.#options;
    const unasked = replies === 0 ? 1 : Math.max(0, messages - replies * MESSAGES_OF_CALL) / messages;
    const own = cost * (1 - unasked) - replies * TIMES.hostReply;
    if (own > 0) time.spend(own);
    if (unasked === 0) return;
    time.spendUnasked(cost * unasked);
    if (!time.overdrawn) return;
    time.forgive();
    violate("ERR_FLOOD", "to read what it sends takes more than its part of the platform's own thread");
  }
}

/** The most that reading so many characters is held to cost, in milliseconds: while it is read, the thread may wait for the processor. */
function readingMs(chars: number): number {
  return 0.05 + chars / 5_000;
}
