/**
 * Event, EventTarget, AbortController, AbortSignal and DOMException, implemented here because Node's expose its event machinery. State
 * is in private fields, and an event carries only what the plugin gave it.
 */
import { kindOf, wrongArgument } from "../refusal.js";

const CODES: Readonly<Record<string, number>> = {
  InvalidCharacterError: 5,
  NotSupportedError: 9,
  InvalidStateError: 11,
  SyntaxError: 12,
  AbortError: 20,
  QuotaExceededError: 22,
  TimeoutError: 23,
  DataCloneError: 25,
};

/** An error made by `DOMException`; `code` is the number of its name. */
export type DomError = Error & { readonly code: number };

interface DomErrorMaker {
  new (message?: unknown, name?: unknown): DomError;
}

/**
 * As in the Web IDL standard, without the numbered constants. Not a subclass of Error: its parent would be the realm's own
 * constructor, which can read stacks.
 */
function makeDomError(this: unknown, message: unknown = "", name: unknown = "Error"): DomError {
  const error = new Error(String(message));
  const text = String(name);
  const code = Object.hasOwn(CODES, text) ? CODES[text] : 0;
  Object.defineProperty(error, "name", { value: text, configurable: true, writable: true });
  Object.defineProperty(error, "code", { value: code, configurable: true, writable: true });
  return Object.setPrototypeOf(error, new.target?.prototype ?? (makeDomError.prototype as object)) as DomError;
}
Object.setPrototypeOf(makeDomError.prototype, Error.prototype);
Object.defineProperty(makeDomError, "name", { value: "DOMException" });
export const DOMException: DomErrorMaker = makeDomError as unknown as DomErrorMaker;

let dispatching: (event: Event, target: unknown) => void;
let stopped: (event: Event) => boolean;
let isEvent: (value: unknown) => value is Event;

/** As in the DOM standard, for targets without a tree. */
export class Event {
  readonly #type: string;
  readonly #cancelable: boolean;
  #target: unknown = null;
  #prevented = false;
  #stopped = false;

  static {
    dispatching = (event, target) => {
      event.#target = target;
      event.#stopped = false;
    };
    stopped = (event) => event.#stopped;
    isEvent = (value): value is Event => typeof value === "object" && value !== null && #type in value;
  }

  constructor(type: unknown, options: { readonly cancelable?: unknown } = {}) {
    this.#type = String(type);
    this.#cancelable = Boolean(options?.cancelable);
  }

  get type(): string {
    return this.#type;
  }
  get target(): unknown {
    return this.#target;
  }
  get currentTarget(): unknown {
    return this.#target;
  }
  get cancelable(): boolean {
    return this.#cancelable;
  }
  get defaultPrevented(): boolean {
    return this.#prevented;
  }
  get bubbles(): boolean {
    return false;
  }
  preventDefault(): void {
    if (this.#cancelable) this.#prevented = true;
  }
  stopPropagation(): void {}
  stopImmediatePropagation(): void {
    this.#stopped = true;
  }
}

interface Listener {
  readonly type: string;
  readonly callback: unknown;
  readonly once: boolean;
}

/** As in the DOM standard. An error that a listener throws is uncaught, and so crashes the plugin. */
export class EventTarget {
  #listeners: readonly Listener[] = [];

  addEventListener(type: unknown, callback: unknown, options?: unknown): void {
    if (callback === null || callback === undefined) return;
    if (typeof callback !== "function" && typeof callback !== "object")
      throw wrongArgument(`addEventListener takes a function, not ${kindOf(callback)}`);
    const name = String(type);
    if (this.#listeners.some((one) => one.type === name && one.callback === callback)) return;
    const given = typeof options === "object" && options !== null ? options : {};
    const signal: unknown = Reflect.get(given, "signal");
    if (isSignal(signal)) {
      if (signal.aborted) return;
      signal.addEventListener("abort", () => this.removeEventListener(name, callback));
    }
    const once = Reflect.get(given, "once") === true;
    this.#listeners = [...this.#listeners, { type: name, callback, once }];
  }

  removeEventListener(type: unknown, callback: unknown): void {
    const name = String(type);
    this.#listeners = this.#listeners.filter((one) => one.type !== name || one.callback !== callback);
  }

  dispatchEvent(event: unknown): boolean {
    if (!isEvent(event)) throw wrongArgument(`dispatchEvent takes an Event, not ${kindOf(event)}`);
    dispatching(event, this);
    for (const listener of this.#listeners) {
      if (listener.type !== event.type || !this.#listeners.includes(listener)) continue;
      if (listener.once) this.removeEventListener(listener.type, listener.callback);
      uncaught(() => call(listener.callback, this, event));
      if (stopped(event)) break;
    }
    return !event.defaultPrevented;
  }
}

function call(callback: unknown, target: unknown, event: Event): void {
  if (typeof callback === "function") Reflect.apply(callback, target, [event]);
  else if (typeof callback === "object" && callback !== null) {
    const handle: unknown = Reflect.get(callback, "handleEvent");
    if (typeof handle === "function") Reflect.apply(handle, callback, [event]);
  }
}

/** Runs a listener; its error does not prevent the others from running. */
function uncaught(run: () => void): void {
  try {
    run();
  } catch (error) {
    void Promise.reject(error);
  }
}

const KEY = Symbol("AbortSignal");
let abortSignal: (signal: AbortSignal, reason: unknown) => void;

/** As in the DOM standard, but without `AbortSignal.timeout`: timers need a grant. */
export class AbortSignal extends EventTarget {
  #aborted = false;
  #reason: unknown = undefined;
  #handler: unknown = null;

  static {
    abortSignal = (signal, reason) => {
      if (signal.#aborted) return;
      signal.#aborted = true;
      signal.#reason = reason === undefined ? new DOMException("This operation was aborted", "AbortError") : reason;
      const event = new Event("abort");
      dispatching(event, signal);
      uncaught(() => call(signal.#handler, signal, event));
      signal.dispatchEvent(event);
    };
  }

  constructor(key: unknown) {
    super();
    if (key !== KEY)
      throw wrongArgument("an AbortSignal is made by an AbortController, AbortSignal.abort or AbortSignal.any");
  }

  static abort(reason?: unknown): AbortSignal {
    const signal = new AbortSignal(KEY);
    abortSignal(signal, reason);
    return signal;
  }

  /** Also accepts a driver call's `ctx.signal`. */
  static any(signals: Iterable<SignalLike>): AbortSignal {
    const made = new AbortSignal(KEY);
    const sources = [...signals];
    const first = sources.find((one) => one.aborted);
    if (first) abortSignal(made, first.reason);
    else for (const one of sources) one.addEventListener("abort", () => abortSignal(made, one.reason));
    return made;
  }

  get aborted(): boolean {
    return this.#aborted;
  }
  get reason(): unknown {
    return this.#reason;
  }
  get onabort(): unknown {
    return this.#handler;
  }
  set onabort(handler: unknown) {
    this.#handler = typeof handler === "function" ? handler : null;
  }
  throwIfAborted(): void {
    if (this.#aborted) throw this.#reason;
  }
}

/** An AbortSignal, or a driver call's `ctx.signal`. */
interface SignalLike {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: string, listener: () => void): void;
}

function isSignal(value: unknown): value is SignalLike {
  return typeof value === "object" && value !== null && typeof Reflect.get(value, "addEventListener") === "function";
}

/** As in the DOM standard. */
export class AbortController {
  readonly #signal = new AbortSignal(KEY);

  get signal(): AbortSignal {
    return this.#signal;
  }
  abort(reason?: unknown): void {
    abortSignal(this.#signal, reason);
  }
}
