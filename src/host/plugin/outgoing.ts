/** What goes to one worker: messages gathered into numbered frames, and held back while its plugin is throttled. */
import { DownFrames } from "../../protocol/frame.js";
import { LIMITS, TIMES } from "../../protocol/limits.js";
import type { WorkerMethod } from "../../protocol/messages.js";
import { Turns } from "../turns.js";

export class Outgoing {
  /** Fewer messages wait, and for longer. */
  throttled = false;
  readonly #frames: DownFrames;
  readonly #write: (frame: string, number: number) => void;
  readonly #turns = new Turns(() => this.#flush());
  /** What waits goes out later. */
  #slowed = false;
  #stopped = false;
  #sent = 0;

  /** `write` sends a frame; its number counts from 1. */
  constructor(header: string, write: (frame: string, number: number) => void) {
    this.#frames = new DownFrames(header);
    this.#write = write;
  }

  /** Frames that have been sent. */
  get sent(): number {
    return this.#sent;
  }

  /** One message's JSON text. Goes out with the turn's other messages: an answer is there before what is called because of it. */
  message(text: string): void {
    this.#frames.message(text);
    this.#schedule(true);
  }

  /** A call, as `DownFrames.call` takes it. */
  call(id: number, expires: number, method: WorkerMethod, index: number, args: readonly string[]): void {
    this.#frames.call(id, expires, method, index, args);
    this.#schedule(false);
  }

  /** Nothing more goes out. */
  stop(): void {
    this.#stopped = true;
  }

  /** What waits goes out in turn, or now that there is enough of it. */
  #schedule(soon: boolean): void {
    if (this.#frames.count >= (this.throttled ? LIMITS.throttledBatch : LIMITS.batch)) this.#flush();
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
      setTimeout(flush, TIMES.throttled).unref();
    }
  }

  #flush(): void {
    if (this.#stopped || this.#frames.count === 0) return;
    this.#sent++;
    this.#write(this.#frames.take(), this.#sent);
  }
}
