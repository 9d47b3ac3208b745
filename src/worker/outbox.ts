/** A worker's outgoing messages, batched over a microtask turn into one frame that also acknowledges all received frames. */
import { encodeMessage, encodeUp } from "../protocol/frame.js";
import { LIMITS } from "../protocol/limits.js";
import type { UpMessage } from "../protocol/messages.js";

/** Target frame size, well below the host's limit. */
const TARGET_CHARS = LIMITS.frameChars / 4;

export class Outbox {
  readonly #header: string;
  readonly #post: (frame: string) => void;
  #messages: string[] = [];
  #chars = 0;
  #received = 0;
  #acknowledged = 0;
  #flushScheduled = false;
  #ackScheduled = false;

  constructor(header: string, post: (frame: string) => void) {
    this.#header = header;
    this.#post = post;
  }

  /** Adds one message, sent with the others of this turn. Never throws; a message over the wire's limit must not get here. */
  push(message: UpMessage): void {
    const text = encodeMessage(message);
    if (this.#chars + text.length > TARGET_CHARS) this.flush();
    this.#messages.push(text);
    this.#chars += text.length;
    if (this.#messages.length >= LIMITS.batch) this.flush();
    if (this.#flushScheduled || this.#messages.length === 0) return;
    this.#flushScheduled = true;
    queueMicrotask(() => {
      this.#flushScheduled = false;
      this.flush();
    });
  }

  /**
   * Counts an incoming frame. It is acknowledged with the next outgoing frame, at the latest when this turn's microtasks are
   * done: a worker that blocks acknowledges nothing, which is how the host tells blocked from slow.
   */
  received(): void {
    this.#received++;
    if (this.#ackScheduled) return;
    this.#ackScheduled = true;
    setImmediate(() => {
      this.#ackScheduled = false;
      if (this.#acknowledged < this.#received) this.flush();
    });
  }

  /** Posts everything queued, now. */
  flush(): void {
    if (this.#messages.length === 0 && this.#acknowledged === this.#received) return;
    this.#acknowledged = this.#received;
    const messages = this.#messages;
    this.#messages = [];
    this.#chars = 0;
    this.#post(encodeUp(this.#header, this.#acknowledged, messages));
  }
}
