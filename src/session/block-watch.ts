/**
 * Tells a slow worker from a blocked one: unacknowledged frames mean that its event loop does not turn. The shared cell hints
 * at what the worker is busy with (src/host/calls/README.md, "Deadlines").
 */

import { monotonicNow } from "../common/clock.js";
import type { CellReader } from "../isolation/link.js";
import { SESSION } from "./limits.js";

interface WatchedCall {
  readonly frame: number;
  readonly expires: number;
  /** When it was sent; absent: no later than the last sign of life. */
  readonly sentAt?: number;
}

export interface BlockWatchOptions {
  readonly cell: CellReader;
  /** The plugin's default deadline, applied to a plugin that blocks repeatedly. */
  readonly defaultDeadline: number;
  inFlight(id: number): WatchedCall | undefined;
  allInFlight(): Iterable<WatchedCall>;
  /** Resolves once a process that holds other workers too has answered, with the cell as it is now; absent elsewhere. */
  readonly passedOn?: (() => Promise<void>) | undefined;
  kill(reason: string): void;
}

/**
 * Frames sent this soon after the last sign of life count as known at that time. Also the delay before a second judgement: a
 * worker can receive several frames before it acknowledges the first, and any of them may hold the call that blocks it.
 */
const TOGETHER = SESSION.blockMs / 4;

/** The cell's value while a bundle is being evaluated. */
const EVALUATING = -1;

export class BlockWatch {
  /** Frames the worker has acknowledged. */
  acknowledged = 0;
  /** When evaluation must have ended. */
  evaluationEnds = 0;
  strict = false;
  readonly #options: BlockWatchOptions;
  #sent = 0;
  /** The last frame whose calls may extend a block: sent before the last sign of life, or within `TOGETHER` of it. */
  #counted = 0;
  /** When a frame was first left unacknowledged; meaningless while there is none. */
  #since = 0;
  #timer: NodeJS.Timeout | undefined;
  #checking = false;

  constructor(options: BlockWatchOptions) {
    this.#options = options;
  }

  /** True when all frames are acknowledged. */
  get idle(): boolean {
    return this.acknowledged === this.#sent;
  }

  /** True while the bundle's own code runs, before `init`. */
  get evaluating(): boolean {
    return this.#options.cell.running() === EVALUATING;
  }

  /** True when frames have been unacknowledged for so long that the loop cannot be turning. */
  get blocked(): boolean {
    return !this.idle && monotonicNow() - this.#since >= SESSION.probeMs;
  }

  /** Records that frame number `frame` is sent now. */
  sent(frame: number): void {
    const now = monotonicNow();
    if (this.idle) this.#since = now;
    if (now - this.#since < TOGETHER) this.#counted = frame;
    this.#sent = frame;
    if (this.#timer === undefined)
      this.#arm(this.strict ? Math.min(SESSION.blockMs, this.#options.defaultDeadline) : SESSION.blockMs);
  }

  /**
   * Records a frame from the worker. Only one that acknowledges more shows that the loop has turned: a loop that logs sends
   * frames too.
   */
  received(ack: number): void {
    if (ack <= this.acknowledged) return;
    this.acknowledged = ack;
    this.#counted = this.#sent;
    this.#since = monotonicNow();
  }

  /**
   * Called when a call's deadline has passed. Returns true if the loop is known not to turn; the worker may then have been
   * terminated here.
   */
  expired(): boolean {
    if (this.idle) {
      // Nothing is outstanding: the cancel frame that follows serves as the ping.
      setTimeout(() => this.#judge(), SESSION.probeMs).unref();
      return false;
    }
    if (this.blocked) {
      this.#judge();
      return true;
    }
    setTimeout(() => this.#judge(), SESSION.probeMs).unref();
    return false;
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.acknowledged = this.#sent;
  }

  #arm(ms: number): void {
    clearTimeout(this.#timer);
    const due = monotonicNow() + ms;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        const late = monotonicNow() - due;
        // This thread was stalled, perhaps the worker too: gives it as much time again.
        if (late > TOGETHER) {
          this.#since += late;
          this.#arm(TOGETHER);
        } else this.#judge();
      },
      Math.max(1, ms),
    );
    this.#timer.unref();
  }

  /** Terminates the worker when its time is up; otherwise checks again when it will be. */
  #judge(): void {
    if (this.idle) return;
    const now = monotonicNow();
    const { limit, why } = this.#limit();
    if (now < limit) this.#arm(Math.min(limit - now, SESSION.blockMs));
    else if (this.#options.passedOn !== undefined) this.#awaitForwarding(this.#options.passedOn, why);
    else if (now - limit > SESSION.probeMs) this.#readFirst(why);
    else this.#options.kill(why);
  }

  /** Reads the worker's frames before judging it: while the platform's own loop was stalled, some may have arrived unread. */
  #readFirst(why: string): void {
    if (this.#checking) return;
    this.#checking = true;
    const { acknowledged } = this;
    setImmediate(() => {
      this.#checking = false;
      if (this.idle) return;
      if (this.acknowledged === acknowledged) this.#options.kill(why);
      else this.#judge();
    });
  }

  /** Waits until the worker's process has answered: another plugin may stall a shared process, and then this one is not at fault. */
  #awaitForwarding(passedOn: () => Promise<void>, why: string): void {
    if (this.#checking) return;
    this.#checking = true;
    const { acknowledged } = this;
    void passedOn().then(() => {
      // The cell came with the reply: a worker in a call past its deadline has received that call's frame, and is running it.
      if (!this.idle && this.#runsLate()) {
        this.#checking = false;
        this.#options.kill(why);
        return;
      }
      setTimeout(() => {
        this.#checking = false;
        if (this.idle) return;
        if (this.acknowledged === acknowledged) this.#options.kill(why);
        else this.#judge();
      }, TOGETHER).unref();
    });
  }

  #runsLate(): boolean {
    const running = this.#options.cell.running();
    const call = running > 0 ? this.#options.inFlight(running) : undefined;
    return call !== undefined && call.expires <= monotonicNow();
  }

  #limit(): { limit: number; why: string } {
    const running = this.#options.cell.running();
    const call = running > 0 ? this.#options.inFlight(running) : undefined;
    if (call) {
      // The cell is only a hint: it can name a call, but cannot set a later limit than the calls known at the last sign of
      // life.
      const limit = Math.min(
        call.expires,
        this.#cap(),
        this.strict ? (call.sentAt ?? this.#since) + this.#options.defaultDeadline : Number.POSITIVE_INFINITY,
      );
      return { limit, why: "a driver method blocked the worker past its deadline" };
    }
    if (running === EVALUATING && this.evaluationEnds > this.#since + SESSION.blockMs)
      return { limit: this.evaluationEnds, why: "the plugin's code was still being evaluated at its deadline" };
    return {
      limit: this.#since + SESSION.blockMs,
      why: `the worker was blocked for ${SESSION.blockMs} ms outside any driver method`,
    };
  }

  /** Returns the latest deadline among the calls known at the last sign of life. New calls never extend it. */
  #cap(): number {
    let cap = 0;
    for (const call of this.#options.allInFlight())
      if (call.frame <= this.#counted && call.expires > cap) cap = call.expires;
    return cap;
  }
}
