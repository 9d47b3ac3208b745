/**
 * Serves a worker's requests to its host by looking their names up. comlink's `expose` is not used on this side: it walks
 * paths without own-property checks and honours SET, CONSTRUCT, ENDPOINT and RELEASE.
 */

import { monotonicNow } from "../common/clock.js";
import { Rate } from "../common/rate.js";
import { DriverError, type ErrorCode } from "../driverapi/errors.js";
import type { Json } from "../driverapi/json.js";
import type { HostTime } from "../permissions/host-time.js";
import { HOST_TIME } from "../permissions/limits.js";
import { ProtocolViolation } from "../protocol/frame.js";
import { LIMITS } from "../protocol/limits.js";
import type { ApplyRequest } from "../protocol/messages.js";
import { SESSION } from "./limits.js";

export interface DispatcherOptions {
  /** Answers a request; throws or rejects with `DriverError`. Returns undefined for a name that does not exist. */
  request(name: string, args: readonly Json[]): Json | Promise<Json> | undefined;
  /** Returns false for a name that does not exist. */
  notice(name: string, args: readonly Json[]): boolean;
  /** Sends a message's JSON text to the worker. */
  send(text: string): void;
  violate(code: ErrorCode, detail: string): void;
  /** The plugin's account of time on the platform's thread. */
  readonly time: HostTime;
}

/** Fixed cost of every request, in milliseconds: promises, a read of the store, sending the answer. */
const REQUEST_MS = 0.015;

/** Requests that wait until there is something to do. */
const WAITS: ReadonlySet<string | undefined> = new Set(["resolver.next", "cluster.next"]);

/** Never delayed: registrations are counted separately, and a flood of them ends the worker at once. */
const AT_ONCE = "registerDriver";

export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #answers = new Rate(LIMITS.answerCharsPerSecond);
  readonly #notices = new Rate(LIMITS.noticesPerSecond);
  #open = 0;
  /** Requests that the host is working on. */
  #atWork = 0;
  /** Milliseconds with at least one. */
  #workedMs = 0;
  /** Start of the current period with at least one. */
  #workingSince: number | undefined;
  /** Requests that wait because the plugin has used up its time on the platform's thread; FIFO. */
  #waiting: string[] = [];
  #waitingChars = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: DispatcherOptions) {
    this.#options = options;
  }

  /** Milliseconds so far that the host was at work for the worker, such as waiting for the kernel or a disk. */
  get workedMs(): number {
    return this.#workedMs + (this.#workingSince === undefined ? 0 : monotonicNow() - this.#workingSince);
  }

  request(request: ApplyRequest): void {
    if (this.#open + this.#waiting.length >= LIMITS.requestsOpen) {
      this.#options.violate("ERR_FLOOD", `more than ${LIMITS.requestsOpen} requests are open`);
      return;
    }
    const free = this.#waiting.length === 0 && this.#options.time.wait === 0;
    if (free || request.path[0] === AT_ONCE) this.#serve(request);
    else this.#queue(request);
  }

  /** Keeps a request as text: the parsed values take many times the memory, and there may be many. */
  #queue(request: ApplyRequest): void {
    const { time, violate } = this.#options;
    const began = performance.now();
    const text = time.charge(() => JSON.stringify(request));
    if (this.#waitingChars + text.length > SESSION.requestChars) {
      const words = `more than ${SESSION.requestChars} characters of requests are waiting; await their replies first`;
      this.#refuse(request.id, new DriverError("ERR_PERMISSION_LIMIT", `${request.path[0]}: ${words}`));
      // The plugin keeps sending although its requests already wait; if it goes on, that is a flood.
      time.spendUnasked(Math.min(performance.now() - began, HOST_TIME.pieceMs) + REQUEST_MS);
      if (time.overdrawn) {
        time.reduceDebt();
        violate("ERR_FLOOD", "rejecting its requests used more than its share of the host's own thread");
      }
      return;
    }
    this.#waitingChars += text.length;
    if (this.#waiting.push(text) === 1) this.#schedule();
  }

  /** Drops the waiting requests. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#waiting = [];
    this.#waitingChars = 0;
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#serveWaiting(), Math.ceil(this.#options.time.wait)).unref();
  }

  #serveWaiting(): void {
    const { time, violate } = this.#options;
    for (;;) {
      const next = this.#waiting[0];
      if (next === undefined) return;
      if (time.wait > 0) break;
      this.#waiting.shift();
      this.#waitingChars -= next.length;
      try {
        this.#serve(time.charge(() => JSON.parse(next) as ApplyRequest));
      } catch {
        violate("ERR_PROTOCOL", "the host failed to parse a queued request");
        return;
      }
    }
    this.#schedule();
  }

  #serve({ id, path: [name], argumentList }: ApplyRequest): void {
    const { time } = this.#options;
    time.spend(REQUEST_MS);
    const reply = (value: Json): void => this.#answer({ id, type: "RAW", value });
    const refuse = (cause: unknown): void =>
      this.#refuse(
        id,
        cause instanceof DriverError
          ? cause
          : new DriverError("ERR_PERMISSION_FAILED", `${name} failed on the host's side`),
      );
    let result: Json | Promise<Json> | undefined;
    try {
      const args = argumentList.map((one) => one.value ?? null);
      result = time.charge(() => this.#options.request(name, args));
    } catch (error) {
      refuse(error);
      return;
    }
    if (result === undefined) {
      this.#options.violate("ERR_PROTOCOL", "a request with an unknown name");
      return;
    }
    if (!(result instanceof Promise)) {
      reply(result);
      return;
    }
    this.#open++;
    // Registering a driver runs its `config`, which is the driver's own time.
    const atWork = name !== AT_ONCE && !WAITS.has(name);
    if (atWork && this.#atWork++ === 0) this.#workingSince = monotonicNow();
    // A reply that cannot be made, such as one too long for a string, is refused.
    void result
      .then(reply)
      .catch(refuse)
      .finally(() => {
        this.#open--;
        if (!atWork || --this.#atWork > 0) return;
        this.#workedMs = this.workedMs;
        this.#workingSince = undefined;
      });
  }

  /** Throws `ProtocolViolation` for a name that does not exist. */
  notice(name: string, args: readonly Json[]): void {
    if (!this.#notices.spend(1)) {
      this.#options.violate("ERR_FLOOD", `more than ${LIMITS.noticesPerSecond} notices in a second`);
      return;
    }
    if (!this.#options.notice(name, args)) throw new ProtocolViolation("a notice with an unknown name");
  }

  #refuse(id: ApplyRequest["id"], { code, kind, message }: DriverError): void {
    this.#answer({ id, type: "HANDLER", name: "throw", value: { code, kind, message } });
  }

  #answer(message: object): void {
    const text = this.#options.time.charge(() => `{"kind":"answer","message":${JSON.stringify(message)}}`);
    if (this.#answers.spend(text.length)) this.#options.send(text);
    else
      this.#options.violate("ERR_FLOOD", `more than ${LIMITS.answerCharsPerSecond} characters of replies in a second`);
  }
}
