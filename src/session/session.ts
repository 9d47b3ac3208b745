/**
 * The host's side of one worker's life: frames out and in, calls in flight, the worker's requests served.
 * It knows what really happened on the wire; `calls/` decides what a caller is told, and when.
 */

import { monotonicNow } from "../common/clock.js";
import { escapeLine } from "../common/escape.js";
import type { ErrorCode } from "../driverapi/errors.js";
import type { Json } from "../driverapi/json.js";
import type { Link, LinkEnd } from "../isolation/link.js";
import type { HostTime } from "../permissions/host-time.js";
import { encodeMessage, ProtocolViolation, routeHeader } from "../protocol/frame.js";
import { LIMITS } from "../protocol/limits.js";
import { type DownMessage, PROTOCOL_VERSION, type UpMessage, type WorkerMethod } from "../protocol/messages.js";
import { RUNTIME_VERSION } from "../protocol/version.js";
import { BlockWatch } from "./block-watch.js";
import { CpuWatch } from "./cpu-watch.js";
import { Dispatcher } from "./dispatcher.js";
import { Incoming } from "./incoming.js";
import { SESSION } from "./limits.js";
import { type CallOutcome, crashReason, type SessionEnd, ThrownFailure } from "./outcome.js";
import { Outgoing } from "./outgoing.js";
import { overdueWords, PING_AHEAD } from "./overdue.js";

/** Receives a call's outcome. */
export interface CallEnd {
  /** Called once, as soon as the outcome is known, even after the deadline. */
  settle(outcome: CallOutcome): void;
}

/** A call in flight. */
interface FlyingCall {
  readonly id: number;
  readonly method: WorkerMethod;
  /** Number of the frame it travels in. */
  readonly frame: number;
  readonly sentAt: number;
  readonly expires: number;
  readonly end: CallEnd;
  /** How long the host had been at work for the worker when the call was sent, and how much of its later work has been made good. */
  readonly workedBefore: number;
  madeGood: number;
  /** Number of the frame that cancels it, once it has been given up. */
  cancelledIn?: number;
}

export interface SessionHandlers {
  /** Answers a request; throws or rejects with `DriverError`. Returns undefined for a name that does not exist. */
  request(name: string, args: readonly Json[]): Json | Promise<Json> | undefined;
  /** Returns false for a name that does not exist. */
  notice(name: string, args: readonly Json[]): boolean;
  violation(code: ErrorCode, detail: string): void;
  /** The worker is slowed down: it used more CPU (`ERR_PLUGIN_CPU`) or host time (`ERR_PLUGIN_HOST_TIME`) than it may. */
  throttled(code: ErrorCode, detail: string): void;
  /** The driver has replied to a call, `ms` milliseconds after it was sent. */
  replied(ms: number): void;
  /** Called once, after everything else. */
  ended(end: SessionEnd): void;
}

/** What a worker is told to run. */
export interface SessionStart {
  readonly plugin: string;
  readonly code: string;
  readonly sourceMap: string;
  readonly grant: Readonly<Record<string, Json>>;
  /** Milliseconds for evaluation and `init` together. */
  readonly deadline: number;
}

/** What a session judges its worker by. */
export interface SessionBounds {
  /** The plugin's default deadline, in milliseconds: the limit for a plugin that blocks again and again. */
  readonly defaultDeadline: number;
  /** Percentage of one core that it may use beyond the calls it serves. */
  readonly cpuPercent: number;
  /** Counts what the worker costs the platform's own thread. */
  readonly time: HostTime;
}

/** A timer that fires less than this late, in milliseconds, was not held up. */
const PUNCTUAL = 10;

const PING = '{"kind":"ping"}';

export class Session {
  readonly #link: Link;
  readonly #outgoing: Outgoing;
  readonly #incoming: Incoming;
  readonly #handlers: SessionHandlers;
  readonly #calls = new Map<number, FlyingCall>();
  readonly #watch: BlockWatch;
  readonly #dispatcher: Dispatcher;
  readonly #cpu: CpuWatch;
  #nextId = 1;
  #starting: { resolve(): void; reject(error: ThrownFailure): void } | undefined;
  #end: SessionEnd | undefined;

  constructor(link: Link, handlers: SessionHandlers, bounds: SessionBounds) {
    const { defaultDeadline, cpuPercent, time } = bounds;
    const header = routeHeader(link.route);
    this.#link = link;
    this.#handlers = handlers;
    this.#outgoing = new Outgoing(header, (frame, number) => {
      this.#watch.sent(number);
      link.send(frame);
    });
    this.#watch = new BlockWatch({
      cell: link.cell,
      defaultDeadline,
      flying: (id) => this.#calls.get(id),
      allFlying: () => this.#calls.values(),
      ping: () => this.#outgoing.message(PING),
      passedOn: link.passedOn,
      kill: (reason) => this.end({ code: "ERR_PLUGIN_BLOCKED", reason, crash: true }),
    });
    this.#dispatcher = new Dispatcher({
      request: (name, args) => handlers.request(name, args),
      notice: (name, args) => handlers.notice(name, args),
      send: (text) => this.#outgoing.message(text),
      violate: (code, detail) => this.#violate(code, detail),
      time,
    });
    this.#incoming = new Incoming({
      header,
      time,
      alive: () => this.#end === undefined,
      acknowledged: (count) => {
        if (count > this.#outgoing.sent) throw new ProtocolViolation("a frame acknowledges more than was sent");
        this.#watch.received(count);
      },
      pending: () => this.#calls.size,
      handle: (message) => this.#handle(message),
      violate: (code, detail) => this.#violate(code, detail),
    });
    const cpu = {
      percent: cpuPercent,
      busyMs: () => link.busyMs,
      throttle: (on: boolean) => {
        this.#outgoing.throttled = on;
        if (on)
          handlers.throttled(
            "ERR_PLUGIN_CPU",
            `it uses more than ${cpuPercent} % of one core beyond its calls (limits.cpuPercent)`,
          );
      },
      end: (reason: string) => this.end({ code: "ERR_PLUGIN_CPU", reason, crash: true }),
    };
    this.#cpu = new CpuWatch(cpu);
    link.onFrame = (data) => this.#incoming.receive(data);
    link.onEnd = (end) => this.#linkEnded(end);
  }

  get alive(): boolean {
    return this.#end === undefined;
  }

  /** CPU time of the worker in milliseconds: see `Link.busyMs`. */
  get cpuMs(): number {
    return Math.max(this.#link.busyMs, this.#cpu.lastBusyMs);
  }

  /** How the session ended; undefined while it lives. */
  get over(): SessionEnd | undefined {
    return this.#end;
  }

  /** Applies the default deadline to every block of this worker, because the plugin's earlier workers have blocked. */
  judgeHarshly(): void {
    this.#watch.harsh = true;
  }

  /** Evaluates the plugin and runs its `init`. Rejects with `ThrownFailure`, also where the session ends meanwhile. */
  start(start: SessionStart): Promise<void> {
    const { deadline, ...rest } = start;
    const message: DownMessage = { kind: "start", protocol: PROTOCOL_VERSION, runtime: RUNTIME_VERSION, ...rest };
    const done = new Promise<void>((resolve, reject) => {
      this.#starting = { resolve, reject };
    });
    this.#watch.evaluationEnds = monotonicNow() + deadline;
    let timer: NodeJS.Timeout;
    let respite = deadline;
    let madeGood = 0;
    const arm = (ms: number): void => {
      const due = monotonicNow() + ms;
      timer = setTimeout(() => {
        const owed = Math.min(this.#dispatcher.workedMs, SESSION.hostWorkMs) - madeGood;
        if (owed > PUNCTUAL) {
          madeGood += owed;
          arm(owed);
          return;
        }
        // The platform stood still when the time was up, and so did the answers that init waits for: init gets that much time again.
        const late = monotonicNow() - due;
        const more = late < PUNCTUAL ? 0 : Math.min(Math.max(late, SESSION.probeMs), respite);
        respite -= more;
        if (more > 0) arm(more);
        else
          this.end({
            code: "ERR_PLUGIN_INIT_TIMEOUT",
            reason: overdueWords(deadline, { evaluating: this.#watch.evaluating, turning: this.#watch.idle }),
            crash: true,
          });
      }, ms);
    };
    arm(deadline);
    const ping = setTimeout(
      () => {
        if (this.#watch.idle) this.#outgoing.message(PING);
      },
      Math.max(0, deadline - PING_AHEAD),
    );
    this.#outgoing.message(encodeMessage(message));
    return done.finally(() => {
      clearTimeout(timer);
      clearTimeout(ping);
    });
  }

  /** Sends a call to the driver of this index; `args` are JSON texts. Returns its id. */
  call(method: WorkerMethod, index: number, args: readonly string[], expires: number, end: CallEnd): number {
    const id = this.#nextId++;
    if (this.#end) {
      end.settle({ how: "ended", started: false, end: this.#end });
      return id;
    }
    const now = monotonicNow();
    if (this.#calls.size === 0) this.#cpu.serving(true, now);
    const frame = this.#outgoing.sent + 1;
    this.#calls.set(id, {
      id,
      method,
      frame,
      sentAt: now,
      expires,
      end,
      workedBefore: this.#dispatcher.workedMs,
      madeGood: 0,
    });
    this.#outgoing.call(id, expires, method, index, args);
    return id;
  }

  /** The caller of `id` has its answer, or has left: fires the driver's AbortSignal, and checks whether the worker is blocked. */
  giveUp(id: number): { readonly started: boolean; readonly blocked: boolean } {
    const call = this.#calls.get(id);
    if (!call || this.#end) return { started: true, blocked: false };
    const started = this.#started(call);
    const blocked = this.#watch.expired();
    if (!this.#end) {
      call.cancelledIn = this.#outgoing.sent + 1;
      this.#outgoing.message(`{"kind":"cancel","id":${id}}`);
    }
    return { started, blocked };
  }

  /**
   * Milliseconds, up to a bound, that the host was at work for the worker since a call was sent: the driver gets them back. Each is
   * returned only once. 0 where there are too few to matter.
   */
  makeGood(id: number): number {
    const call = this.#calls.get(id);
    if (!call) return 0;
    const owed = Math.min(this.#dispatcher.workedMs - call.workedBefore, SESSION.hostWorkMs) - call.madeGood;
    if (owed <= PUNCTUAL) return 0;
    call.madeGood += owed;
    return owed;
  }

  /**
   * A call was given up `ms` ago and has still not settled. While another call blocks the worker within its own deadline, this
   * one cannot settle, so it is checked again later. Without such a call the worker gets one short delay, and only once:
   * a driver that blocks briefly again and again could otherwise put off its end indefinitely. `upTo`: how many frames had been sent
   * when it was not yet known whether the worker was blocked.
   */
  unsettled(id: number, ms: number, last = false, upTo?: number): void {
    const call = this.#calls.get(id);
    if (!call) return;
    const owed = this.makeGood(id);
    if (owed > 0) {
      setTimeout(() => this.unsettled(id, ms), owed).unref();
      return;
    }
    const { acknowledged, blocked, idle } = this.#watch;
    const heard = call.cancelledIn !== undefined && call.cancelledIn <= acknowledged;
    const unheard = !heard || blocked || (upTo !== undefined && acknowledged < upTo);
    if (unheard && !last) {
      const now = monotonicNow();
      const excused = [...this.#calls.values()].some((other) => other !== call && other.expires > now);
      setTimeout(() => this.unsettled(id, ms, !excused), excused ? ms : SESSION.blockMs / 4).unref();
      return;
    }
    if (!last && !idle && upTo === undefined) {
      const { sent } = this.#outgoing;
      setTimeout(() => this.unsettled(id, ms, false, sent), SESSION.probeMs).unref();
      return;
    }
    this.end({
      code: "ERR_PLUGIN_BLOCKED",
      reason: `${call.method} was still unsettled another deadline after its own`,
      crash: true,
    });
  }

  /** Pings an idle worker, and checks how much of the processor it has used. */
  heartbeat(): void {
    if (this.#end) return;
    if (this.#watch.idle) this.#outgoing.message(PING);
    this.#cpu.look(monotonicNow());
    const slowed = this.#incoming.slowed();
    if (slowed !== undefined) this.#handlers.throttled("ERR_PLUGIN_HOST_TIME", slowed);
  }

  /** Ends the worker. All calls in flight settle as `ended`. Idempotent. */
  end(end: SessionEnd): void {
    if (this.#end) return;
    const calls = [...this.#calls.values()].map((call) => ({ call, started: this.#started(call) }));
    this.#end = end;
    this.#calls.clear();
    this.#watch.stop();
    this.#dispatcher.stop();
    this.#outgoing.stop();
    this.#link.kill(end.reason);
    for (const { call, started } of calls) call.end.settle({ how: "ended", started, end });
    const starting = this.#starting;
    this.#starting = undefined;
    starting?.reject(new ThrownFailure(undefined, end));
    this.#handlers.ended(end);
  }

  #started(call: FlyingCall): boolean {
    return call.frame <= this.#watch.acknowledged || call.id <= this.#link.cell.started();
  }

  #handle(message: UpMessage): void {
    switch (message.kind) {
      case "reply": {
        const call = this.#take(message.message.id as number);
        this.#handlers.replied(monotonicNow() - call.sentAt);
        if (message.message.type === "RAW") call.end.settle({ how: "value", value: message.message.value ?? null });
        else call.end.settle({ how: "error", error: message.message.value });
        return;
      }
      case "dropped":
        this.#take(message.id).end.settle({ how: "dropped" });
        return;
      case "request":
        this.#dispatcher.request(message.message);
        return;
      case "notice":
        this.#dispatcher.notice(message.name, message.args);
        return;
      case "started":
      case "failed": {
        const starting = this.#starting;
        if (!starting) throw new ProtocolViolation("a start is answered twice");
        this.#starting = undefined;
        if (message.kind === "started") starting.resolve();
        else starting.reject(new ThrownFailure({ stage: message.stage, error: message.error }, undefined));
        return;
      }
      case "crashed":
        this.end({ code: "ERR_PLUGIN_CRASHED", reason: crashReason(message.origin, message.error), crash: true });
        return;
      case "hello":
        throw new ProtocolViolation("a second hello");
    }
  }

  #take(id: number): FlyingCall {
    const call = this.#calls.get(id);
    if (!call) throw new ProtocolViolation("a reply to no call in flight");
    this.#calls.delete(id);
    if (this.#calls.size === 0) this.#cpu.serving(false, monotonicNow());
    return call;
  }

  #violate(code: ErrorCode, detail: string): void {
    if (this.#end) return;
    this.#handlers.violation(code, detail);
    this.end({ code, reason: detail, crash: true });
  }

  #linkEnded(end: LinkEnd): void {
    if (end.how === "memory")
      this.end({ code: "ERR_PLUGIN_MEMORY", reason: "its worker ran out of memory", crash: true });
    else if (end.how === "process")
      this.end({
        code: "ERR_HOST_PROCESS",
        reason: escapeLine(`its host process ended: ${end.detail}`, LIMITS.messageChars),
        crash: true,
        innocent: end.shared === true,
      });
    else
      this.end({
        code: "ERR_PLUGIN_CRASHED",
        reason: escapeLine(`its worker ended: ${end.detail}`, LIMITS.messageChars),
        crash: true,
      });
  }
}
