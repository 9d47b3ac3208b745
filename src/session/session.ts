/**
 * The host's side of one worker: frames in both directions, calls in flight, the worker's requests.
 * It knows what happened on the wire; `host/calls/` decides what a caller is told, and when.
 */

import { monotonicNow } from "../common/clock.js";
import type { ErrorCode } from "../driverapi/errors.js";
import type { Json } from "../driverapi/json.js";
import type { Link } from "../isolation/link.js";
import type { HostTime } from "../permissions/host-time.js";
import { encodeMessage, ProtocolViolation, routeHeader } from "../protocol/frame.js";
import { type DownMessage, PROTOCOL_VERSION, type UpMessage, type WorkerMethod } from "../protocol/messages.js";
import { RUNTIME_VERSION } from "../protocol/version.js";
import { BlockWatch } from "./block-watch.js";
import { type CallEnd, CallsInFlight } from "./calls-in-flight.js";
import { CpuWatch } from "./cpu-watch.js";
import { Dispatcher } from "./dispatcher.js";
import { Incoming } from "./incoming.js";
import { crashReason, linkEnded, type SessionEnd, ThrownFailure } from "./outcome.js";
import { Outgoing } from "./outgoing.js";
import { startDeadline, startTimedOut } from "./start-deadline.js";

export interface SessionHandlers {
  /** Answers a request; throws or rejects with `DriverError`. Returns undefined for a name that does not exist. */
  request(name: string, args: readonly Json[]): Json | Promise<Json> | undefined;
  /** Returns false for a name that does not exist. */
  notice(name: string, args: readonly Json[]): boolean;
  violation(code: ErrorCode, detail: string): void;
  /** The worker is throttled: it used more CPU (`ERR_PLUGIN_CPU`) or host time (`ERR_PLUGIN_HOST_TIME`) than it may. */
  throttled(code: ErrorCode, detail: string): void;
  /** The driver has replied to a call, `ms` milliseconds after it was sent. */
  replied(ms: number): void;
  /** Called once, after all other handlers. */
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

/** Limits of a session's worker. */
export interface SessionBounds {
  /** The plugin's default deadline, in milliseconds; limits every block once the plugin has blocked repeatedly. */
  readonly defaultDeadline: number;
  /** Percentage of one core that it may use beyond the calls it serves. */
  readonly cpuPercent: number;
  /** Charged for the worker's use of the platform's thread. */
  readonly time: HostTime;
}

const PING = '{"kind":"ping"}';

export class Session {
  readonly #link: Link;
  readonly #outgoing: Outgoing;
  readonly #incoming: Incoming;
  readonly #handlers: SessionHandlers;
  readonly #calls: CallsInFlight;
  readonly #watch: BlockWatch;
  readonly #dispatcher: Dispatcher;
  readonly #cpu: CpuWatch;
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
      inFlight: (id) => this.#calls.get(id),
      allInFlight: () => this.#calls.all(),
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
    this.#calls = new CallsInFlight({
      outgoing: this.#outgoing,
      watch: this.#watch,
      cpu: this.#cpu,
      workedMs: () => this.#dispatcher.workedMs,
      lastStarted: () => link.cell.started(),
      kill: (reason) => this.end({ code: "ERR_PLUGIN_BLOCKED", reason, crash: true }),
    });
    link.onFrame = (data) => this.#incoming.receive(data);
    link.onEnd = (end) => this.end(linkEnded(end));
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
  judgeStrictly(): void {
    this.#watch.strict = true;
  }

  /** Evaluates the plugin and runs its `init`. Rejects with `ThrownFailure`, also when the session ends meanwhile. */
  start(start: SessionStart): Promise<void> {
    const { deadline, ...rest } = start;
    const message: DownMessage = { kind: "start", protocol: PROTOCOL_VERSION, runtime: RUNTIME_VERSION, ...rest };
    const done = new Promise<void>((resolve, reject) => {
      this.#starting = { resolve, reject };
    });
    this.#watch.evaluationEnds = monotonicNow() + deadline;
    const cancel = startDeadline({
      ms: deadline,
      workedMs: () => this.#dispatcher.workedMs,
      ping: () => {
        if (this.#watch.idle) this.#outgoing.message(PING);
      },
      late: () => {
        const reason = startTimedOut(deadline, { evaluating: this.#watch.evaluating, turning: this.#watch.idle });
        this.end({ code: "ERR_PLUGIN_INIT_TIMEOUT", reason, crash: true });
      },
    });
    this.#outgoing.message(encodeMessage(message));
    return done.finally(cancel);
  }

  /** Sends a call to the driver of this index; `args` are JSON texts. Returns the call's id. */
  call(method: WorkerMethod, index: number, args: readonly string[], expires: number, end: CallEnd): number {
    return this.#calls.send(method, index, args, expires, end);
  }

  /** Gives up a call (`CallsInFlight.giveUp`). */
  giveUp(id: number): { readonly started: boolean; readonly blocked: boolean } {
    return this.#calls.giveUp(id);
  }

  /** Returns the milliseconds to give back to a call (`CallsInFlight.makeGood`). */
  makeGood(id: number): number {
    return this.#calls.makeGood(id);
  }

  /** Judges a call that was given up `ms` ago and has not settled (`CallsInFlight.unsettled`). */
  unsettled(id: number, ms: number): void {
    this.#calls.unsettled(id, ms);
  }

  /** Pings an idle worker, and checks its use of CPU and of the main thread. */
  heartbeat(): void {
    if (this.#end) return;
    if (this.#watch.idle) this.#outgoing.message(PING);
    this.#cpu.check(monotonicNow());
    const slowed = this.#incoming.slowed();
    if (slowed !== undefined) this.#handlers.throttled("ERR_PLUGIN_HOST_TIME", slowed);
  }

  /** Terminates the worker and settles all calls in flight as `ended`. Idempotent. */
  end(end: SessionEnd): void {
    if (this.#end) return;
    this.#end = end;
    const settle = this.#calls.end(end);
    this.#watch.stop();
    this.#dispatcher.stop();
    this.#outgoing.stop();
    this.#link.kill(end.reason);
    settle();
    const starting = this.#starting;
    this.#starting = undefined;
    starting?.reject(new ThrownFailure(undefined, end));
    this.#handlers.ended(end);
  }

  #handle(message: UpMessage): void {
    switch (message.kind) {
      case "reply": {
        const call = this.#calls.take(message.message.id as number);
        this.#handlers.replied(monotonicNow() - call.sentAt);
        if (message.message.type === "RAW") call.end.settle({ how: "value", value: message.message.value ?? null });
        else call.end.settle({ how: "error", error: message.message.value });
        return;
      }
      case "dropped":
        this.#calls.take(message.id).end.settle({ how: "dropped" });
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
        if (!starting) throw new ProtocolViolation("a second reply to the start");
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

  #violate(code: ErrorCode, detail: string): void {
    if (this.#end) return;
    this.#handlers.violation(code, detail);
    this.end({ code, reason: detail, crash: true });
  }
}
