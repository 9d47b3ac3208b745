/**
 * The host's side of one worker's life: frames out and in, calls in flight, the worker's requests served.
 * It knows what truly happened on the wire; what a caller is told, and when, is decided above (calls/).
 */
import type { ErrorCode } from "../../driverapi/errors.js";
import type { Json } from "../../driverapi/json.js";
import type { Link, LinkEnd } from "../../isolation/link.js";
import type { HostTime } from "../../permissions/host-time.js";
import { escapeLine } from "../../permissions/log/escape.js";
import { monotonicNow } from "../../protocol/clock.js";
import { DownFrames, decodeUp, encodeMessage, ProtocolViolation, routeHeader } from "../../protocol/frame.js";
import { LIMITS, TIMES } from "../../protocol/limits.js";
import { type DownMessage, PROTOCOL_VERSION, type UpMessage, type WorkerMethod } from "../../protocol/messages.js";
import { readUpMessage } from "../../protocol/read-up.js";
import { RUNTIME_VERSION } from "../../protocol/version.js";
import { Turns } from "../turns.js";
import { BlockWatch } from "./block-watch.js";
import { Budget } from "./budget.js";
import { CpuWatch } from "./cpu-watch.js";
import { Dispatcher } from "./dispatcher.js";
import { type CallOutcome, crashReason, type SessionEnd, ThrownFailure } from "./outcome.js";

/** Whoever waits for a call's outcome. */
export interface CallEnd {
  /** Called once, whenever the outcome is known, even late. */
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
  /** Number of the frame that cancels it, once it has been given up. */
  cancelledIn?: number;
}

export interface SessionHandlers {
  /** Answers a request; throws or rejects with `DriverError`. Returns undefined for a name that does not exist. */
  request(name: string, args: readonly Json[]): Json | Promise<Json> | undefined;
  /** Returns false for a name that does not exist. */
  notice(name: string, args: readonly Json[]): boolean;
  violation(code: ErrorCode, detail: string): void;
  /** It is slowed down, and may soon be ended. */
  throttled(detail: string): void;
  /** Once, last of all. */
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
  /** The plugin's default deadline, in milliseconds: what a plugin that blocks again and again is judged by. */
  readonly defaultDeadline: number;
  /** Share of one core it may use beyond the calls it serves. */
  readonly cpuPercent: number;
  /** What it costs the platform's own thread. */
  readonly time: HostTime;
}

/** Frames of up to so many characters cost less to read than it costs to measure that. */
const SMALL_FRAME = 4096;
/** What every frame costs besides, in milliseconds. */
const FRAME_MS = 0.005;

const HOST_PERCENT = Math.round(TIMES.hostShare * 100);

export class Session {
  readonly #link: Link;
  readonly #header: string;
  readonly #outgoing: DownFrames;
  readonly #handlers: SessionHandlers;
  readonly #calls = new Map<number, FlyingCall>();
  readonly #watch: BlockWatch;
  readonly #turns = new Turns(() => this.#flush());
  /** It is throttled, and what waits goes out later. */
  #slowed = false;
  #sent = 0;
  #nextId = 1;
  readonly #dispatcher: Dispatcher;
  readonly #frames = new Budget(LIMITS.framesPerSecond);
  readonly #chars = new Budget(LIMITS.frameCharsPerSecond);
  readonly #cpu: CpuWatch;
  readonly #time: HostTime;
  #slowTold = false;
  #throttled = false;
  #starting: { resolve(): void; reject(error: ThrownFailure): void } | undefined;
  #end: SessionEnd | undefined;

  constructor(link: Link, handlers: SessionHandlers, bounds: SessionBounds) {
    const { defaultDeadline, cpuPercent, time } = bounds;
    this.#time = time;
    this.#link = link;
    this.#header = routeHeader(link.route);
    this.#outgoing = new DownFrames(this.#header);
    this.#handlers = handlers;
    this.#watch = new BlockWatch({
      cell: link.cell,
      defaultDeadline,
      flying: (id) => this.#calls.get(id),
      allFlying: () => this.#calls.values(),
      ping: () => this.#send('{"kind":"ping"}'),
      passedOn: link.passedOn,
      kill: (reason) => this.end({ code: "ERR_PLUGIN_BLOCKED", reason, crash: true }),
    });
    this.#dispatcher = new Dispatcher({
      request: (name, args) => handlers.request(name, args),
      notice: (name, args) => handlers.notice(name, args),
      send: (text) => this.#send(text),
      violate: (code, detail) => this.#violate(code, detail),
      time,
    });
    const cpu = {
      percent: cpuPercent,
      busyMs: () => link.busyMs,
      throttle: (on: boolean) => {
        this.#throttled = on;
        if (on) handlers.throttled(`it uses more of the processor than ${cpuPercent} % of one core beyond its calls`);
      },
      end: (reason: string) => this.end({ code: "ERR_PLUGIN_CPU", reason, crash: true }),
    };
    this.#cpu = new CpuWatch(cpu);
    link.onFrame = (data) => this.#receive(data);
    link.onEnd = (end) => this.#linkEnded(end);
  }

  get alive(): boolean {
    return this.#end === undefined;
  }

  /** How it ended; undefined while it has not. */
  get over(): SessionEnd | undefined {
    return this.#end;
  }

  /** Blocks counted against the plugin from its earlier workers make this one be judged by the default deadline. */
  judgeHarshly(): void {
    this.#watch.harsh = true;
  }

  /** Evaluates the plugin and runs its `init`. Rejects with `ThrownFailure`, or `SessionOver`. */
  start(start: SessionStart): Promise<void> {
    const { deadline, ...rest } = start;
    const message: DownMessage = { kind: "start", protocol: PROTOCOL_VERSION, runtime: RUNTIME_VERSION, ...rest };
    const done = new Promise<void>((resolve, reject) => {
      this.#starting = { resolve, reject };
    });
    this.#watch.evaluationEnds = monotonicNow() + deadline;
    const timer = setTimeout(
      () =>
        this.end({ code: "ERR_PLUGIN_INIT_TIMEOUT", reason: `init did not return within ${deadline} ms`, crash: true }),
      deadline,
    );
    this.#send(encodeMessage(message));
    return done.finally(() => clearTimeout(timer));
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
    this.#calls.set(id, { id, method, frame: this.#sent + 1, sentAt: now, expires, end });
    this.#outgoing.call(id, expires, method, index, args);
    this.#schedule(false);
    return id;
  }

  /** The caller of `id` has its answer, or has left: the driver's AbortSignal fires, and a block is looked for. */
  giveUp(id: number): { readonly started: boolean; readonly blocked: boolean } {
    const call = this.#calls.get(id);
    if (!call || this.#end) return { started: true, blocked: false };
    const started = this.#started(call);
    const blocked = this.#watch.expired();
    if (!this.#end) {
      call.cancelledIn = this.#sent + 1;
      this.#send(`{"kind":"cancel","id":${id}}`);
    }
    return { started, blocked };
  }

  /**
   * A call was given up `ms` ago and has still not settled. While another call blocks the worker, in its own time, this
   * one has no chance to: then it is looked at again later. Without such a call there is no excuse but the moment itself, once:
   * a driver that blocks a little again and again would otherwise put its end off for ever. `upTo`: what had been sent when it was
   * not known yet whether the worker was blocked.
   */
  unsettled(id: number, ms: number, last = false, upTo?: number): void {
    const call = this.#calls.get(id);
    if (!call) return;
    const { acknowledged, blocked, idle } = this.#watch;
    const heard = call.cancelledIn !== undefined && call.cancelledIn <= acknowledged;
    const unheard = !heard || blocked || (upTo !== undefined && acknowledged < upTo);
    if (unheard && !last) {
      const now = monotonicNow();
      const excused = [...this.#calls.values()].some((other) => other !== call && other.expires > now);
      setTimeout(() => this.unsettled(id, ms, !excused), excused ? ms : TIMES.block / 4).unref();
      return;
    }
    if (!last && !idle && upTo === undefined) {
      const sent = this.#sent;
      setTimeout(() => this.unsettled(id, ms, false, sent), TIMES.probe).unref();
      return;
    }
    this.end({
      code: "ERR_PLUGIN_BLOCKED",
      reason: `${call.method} was still unsettled another deadline after its own`,
      crash: true,
    });
  }

  /** Pings an idle worker, and looks at what it has used of the processor. */
  heartbeat(): void {
    if (this.#end) return;
    if (this.#watch.idle) this.#send('{"kind":"ping"}');
    this.#cpu.look(monotonicNow());
    const slowed = this.#time.owedMs > TIMES.block;
    if (slowed && !this.#slowTold)
      this.#handlers.throttled(
        `what it asks takes more than ${HOST_PERCENT} % of the platform's own thread, and waits`,
      );
    this.#slowTold = slowed;
  }

  /** Ends the worker. All calls in flight settle as `ended`. Idempotent. */
  end(end: SessionEnd): void {
    if (this.#end) return;
    const calls = [...this.#calls.values()].map((call) => ({ call, started: this.#started(call) }));
    this.#end = end;
    this.#calls.clear();
    this.#watch.stop();
    this.#dispatcher.stop();
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

  #send(text: string): void {
    this.#outgoing.message(text);
    this.#schedule(true);
  }

  /** What waits goes out with the turn's other messages, or now that there are enough of them. */
  #schedule(soon: boolean): void {
    if (this.#outgoing.count >= (this.#throttled ? LIMITS.throttledBatch : LIMITS.batch)) this.#flush();
    if (this.#outgoing.count === 0) return;
    if (!this.#throttled) {
      // An answer is there before what is called because of it.
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
    if (this.#end || this.#outgoing.count === 0) return;
    this.#sent++;
    this.#watch.sent(this.#sent);
    this.#link.send(this.#outgoing.take());
  }

  #receive(data: unknown): void {
    if (this.#end) return;
    try {
      if (!this.#frames.spend(1)) {
        this.#violate("ERR_FLOOD", `more than ${LIMITS.framesPerSecond} frames in a second`);
        return;
      }
      if (typeof data === "string" && !this.#chars.spend(data.length)) {
        this.#violate("ERR_FLOOD", `more than ${LIMITS.frameCharsPerSecond} characters of frames in a second`);
        return;
      }
      const began = performance.now();
      const { ack, messages } = decodeUp(this.#header, data);
      let cost = performance.now() - began;
      const { length } = data as string;
      if (ack > this.#sent) throw new ProtocolViolation("a frame acknowledges more than was sent");
      this.#watch.received(ack);
      const before = this.#calls.size;
      for (const message of messages) {
        const reading = length > SMALL_FRAME ? performance.now() : 0;
        const read = readUpMessage(message);
        if (length > SMALL_FRAME) cost += performance.now() - reading;
        this.#handle(read);
        if (this.#end) return;
      }
      this.#pay(Math.min(cost, readingMs(length)) + FRAME_MS, before - this.#calls.size);
    } catch (error) {
      // Whatever else is thrown here is a fault of ours, met on a hostile frame: it costs the worker, not the platform.
      this.#violate("ERR_PROTOCOL", error instanceof ProtocolViolation ? error.message : "a frame the host failed on");
    }
  }

  /** What was asked of it is read at the platform's own expense. */
  #pay(cost: number, replies: number): void {
    if (replies > 0) {
      const own = cost - replies * TIMES.hostReply;
      if (own > 0) this.#time.spend(own);
      return;
    }
    this.#time.spendUnasked(cost);
    if (this.#time.overdrawn)
      this.#violate(
        "ERR_FLOOD",
        `to read what it sends takes more than ${HOST_PERCENT} % of the platform's own thread`,
      );
  }

  #handle(message: UpMessage): void {
    switch (message.kind) {
      case "reply": {
        const call = this.#take(message.message.id as number);
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

/** The most that reading so many characters is held to cost, in milliseconds: while it is read, the thread may wait for the processor. */
function readingMs(chars: number): number {
  return 0.05 + chars / 5_000;
}
