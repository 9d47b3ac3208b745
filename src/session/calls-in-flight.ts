/** One worker's calls in flight: sent, given up by their callers, settled, or overdue for so long that the worker is terminated. */

import { monotonicNow } from "../common/clock.js";
import { ProtocolViolation } from "../protocol/frame.js";
import type { WorkerMethod } from "../protocol/messages.js";
import type { BlockWatch } from "./block-watch.js";
import type { CpuWatch } from "./cpu-watch.js";
import { SESSION } from "./limits.js";
import type { CallOutcome, SessionEnd } from "./outcome.js";
import type { Outgoing } from "./outgoing.js";
import { PUNCTUAL } from "./start-deadline.js";

/** Receives a call's outcome. */
export interface CallEnd {
  /** Called once, as soon as the outcome is known, even after the deadline. */
  settle(outcome: CallOutcome): void;
}

export interface CallInFlight {
  readonly id: number;
  readonly method: WorkerMethod;
  /** Number of the frame it travels in. */
  readonly frame: number;
  readonly sentAt: number;
  readonly expires: number;
  readonly end: CallEnd;
  /** Milliseconds that the host had worked for the worker before the call was sent. */
  readonly workedBefore: number;
  /** Milliseconds of later host work already given back to the call. */
  madeGood: number;
  /** Number of the frame that cancels it, once it has been given up. */
  cancelledIn?: number;
}

export interface CallsInFlightOptions {
  readonly outgoing: Outgoing;
  readonly watch: BlockWatch;
  readonly cpu: CpuWatch;
  /** Returns how long the host has been at work for the worker, in milliseconds. */
  workedMs(): number;
  /** Returns the id of the last call that the worker says it has started. */
  lastStarted(): number;
  /** Terminates the worker. */
  kill(reason: string): void;
}

export class CallsInFlight {
  readonly #options: CallsInFlightOptions;
  readonly #calls = new Map<number, CallInFlight>();
  #nextId = 1;
  #over: SessionEnd | undefined;

  constructor(options: CallsInFlightOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#calls.size;
  }

  get(id: number): CallInFlight | undefined {
    return this.#calls.get(id);
  }

  all(): Iterable<CallInFlight> {
    return this.#calls.values();
  }

  /** Sends a call to the driver of this index; `args` are JSON texts. Returns its id. */
  send(method: WorkerMethod, index: number, args: readonly string[], expires: number, end: CallEnd): number {
    const id = this.#nextId++;
    if (this.#over) {
      end.settle({ how: "ended", started: false, end: this.#over });
      return id;
    }
    const { outgoing, cpu } = this.#options;
    const now = monotonicNow();
    if (this.#calls.size === 0) cpu.serving(true, now);
    const frame = outgoing.sent + 1;
    this.#calls.set(id, {
      id,
      method,
      frame,
      sentAt: now,
      expires,
      end,
      workedBefore: this.#options.workedMs(),
      madeGood: 0,
    });
    outgoing.call(id, expires, method, index, args);
    return id;
  }

  /** Removes and returns a call that was answered. Throws `ProtocolViolation` for an unknown id. */
  take(id: number): CallInFlight {
    const call = this.#calls.get(id);
    if (!call) throw new ProtocolViolation("a reply to an unknown call");
    this.#calls.delete(id);
    if (this.#calls.size === 0) this.#options.cpu.serving(false, monotonicNow());
    return call;
  }

  /** Gives up a call whose caller has been answered: fires the driver's AbortSignal, and checks whether the worker is blocked. */
  giveUp(id: number): { readonly started: boolean; readonly blocked: boolean } {
    const { outgoing, watch } = this.#options;
    const call = this.#calls.get(id);
    if (!call || this.#over) return { started: true, blocked: false };
    const started = this.#started(call);
    const blocked = watch.expired();
    if (!this.#over) {
      call.cancelledIn = outgoing.sent + 1;
      outgoing.message(`{"kind":"cancel","id":${id}}`);
    }
    return { started, blocked };
  }

  /**
   * Returns the milliseconds to give back to a call: the host's work for the worker since it was sent, up to a bound. Each is
   * returned once; 0 if there are too few to matter.
   */
  makeGood(id: number): number {
    const call = this.#calls.get(id);
    if (!call) return 0;
    const owed = Math.min(this.#options.workedMs() - call.workedBefore, SESSION.hostWorkMs) - call.madeGood;
    if (owed <= PUNCTUAL) return 0;
    call.madeGood += owed;
    return owed;
  }

  /**
   * Judges a call that was given up `ms` ago and has not settled. Checks it again while another call is within its deadline, else
   * once more (`last`) or once frame `upTo` is acknowledged; then terminates the worker.
   */
  unsettled(id: number, ms: number, last = false, upTo?: number): void {
    const call = this.#calls.get(id);
    if (!call) return;
    const owed = this.makeGood(id);
    if (owed > 0) {
      setTimeout(() => this.unsettled(id, ms), owed).unref();
      return;
    }
    const { acknowledged, blocked, idle } = this.#options.watch;
    const heard = call.cancelledIn !== undefined && call.cancelledIn <= acknowledged;
    const unheard = !heard || blocked || (upTo !== undefined && acknowledged < upTo);
    if (unheard && !last) {
      const now = monotonicNow();
      const excused = [...this.#calls.values()].some((other) => other !== call && other.expires > now);
      setTimeout(() => this.unsettled(id, ms, !excused), excused ? ms : SESSION.blockMs / 4).unref();
      return;
    }
    if (!last && !idle && upTo === undefined) {
      const { sent } = this.#options.outgoing;
      setTimeout(() => this.unsettled(id, ms, false, sent), SESSION.probeMs).unref();
      return;
    }
    this.#options.kill(`${call.method} was still unsettled another deadline after its own`);
  }

  /** Refuses further calls, and returns a function that settles those in flight as `ended`. */
  end(end: SessionEnd): () => void {
    const calls = [...this.#calls.values()].map((call) => ({ call, started: this.#started(call) }));
    this.#over = end;
    this.#calls.clear();
    return () => {
      for (const { call, started } of calls) call.end.settle({ how: "ended", started, end });
    };
  }

  #started(call: CallInFlight): boolean {
    return call.frame <= this.#options.watch.acknowledged || call.id <= this.#options.lastStarted();
  }
}
