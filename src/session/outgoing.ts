/** Messages to one worker: batched into numbered frames, and delayed while its plugin is throttled. */
import { DownFrames } from "../protocol/frame.js";
import { LIMITS } from "../protocol/limits.js";
import type { WorkerMethod } from "../protocol/messages.js";
import { SESSION } from "./limits.js";
import { WriteCoalescer } from "./write-coalescer.js";

export class Outgoing {
  /** While true, frames are fewer, larger and later. */
  throttled = false;
  readonly #frames: DownFrames;
  readonly #write: (frame: string, number: number) => void;
  readonly #turns = new WriteCoalescer(() => this.#flush());
  /** True while queued messages wait for a delayed frame. */
  #slowed = false;
  #stopped = false;
  #sent = 0;

  /** `write` sends a frame; frame numbers count from 1. */
  constructor(header: string, write: (frame: string, number: number) => void) {
    this.#frames = new DownFrames(header);
    this.#write = write;
  }

  /** Frames sent so far. */
  get sent(): number {
    return this.#sent;
  }

  /** Queues one message's JSON text, sent with the turn's other messages: a reply arrives before the calls it leads to. */
  message(text: string): void {
    this.#frames.message(text);
    this.#schedule(true);
  }

  /** Queues a call, with the arguments of `DownFrames.call`. */
  call(id: number, expires: number, method: WorkerMethod, index: number, args: readonly string[]): void {
    this.#frames.call(id, expires, method, index, args);
    this.#schedule(false);
  }

  /** Stops all sending. */
  stop(): void {
    this.#stopped = true;
  }

  /** Schedules queued messages, or sends them now if there are enough. */
  #schedule(soon: boolean): void {
    if (this.#frames.count >= (this.throttled ? SESSION.throttledBatch : LIMITS.batch)) this.#flush();
    if (this.#frames.count === 0) return;
    if (!this.throttled) {
      if (soon) this.#turns.soon();
      else this.#turns.schedule();
    } else if (!this.#slowed) {
      this.#slowed = true;
      const flush = (): void => {
        this.#slowed = false;
        this.#flush();
      };
      setTimeout(flush, SESSION.throttledMs).unref();
    }
  }

  #flush(): void {
    if (this.#stopped || this.#frames.count === 0) return;
    this.#sent++;
    this.#write(this.#frames.take(), this.#sent);
  }
}
