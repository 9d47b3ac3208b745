/** `ctx`, the last argument of a driver's methods: `{ signal, replay }`, with a signal that holds no host object. */

type Listener = () => unknown;

/** The part of AbortSignal that drivers use; made of closures only, so that there is no prototype to walk. */
export interface PluginSignal {
  readonly aborted: boolean;
  readonly reason: unknown;
  throwIfAborted(): void;
  addEventListener(type: string, listener: Listener): void;
  removeEventListener(type: string, listener: Listener): void;
}

/** One call's context. `plugin` goes to the driver; `abort` is for the host. */
export interface CallContext {
  readonly plugin: { readonly signal: PluginSignal; readonly replay: boolean };
  abort(): void;
}

/** Listeners per call: more would only be a leak. */
const MAX_LISTENERS = 64;

export function createCallContext(replay: boolean): CallContext {
  let reason: Error | undefined;
  let listeners: Listener[] | undefined;
  let signal: PluginSignal | undefined;
  const makeSignal = (): PluginSignal =>
    freezeDeep(
      {
        get aborted() {
          return reason !== undefined;
        },
        get reason() {
          return reason;
        },
        throwIfAborted() {
          if (reason !== undefined) throw reason;
        },
        addEventListener(type: string, listener: Listener) {
          if (type !== "abort" || typeof listener !== "function") return;
          listeners ??= [];
          if (listeners.length < MAX_LISTENERS && !listeners.includes(listener)) listeners.push(listener);
        },
        removeEventListener(type: string, listener: Listener) {
          if (type === "abort" && listeners) listeners = listeners.filter((one) => one !== listener);
        },
      },
      ["aborted", "reason"],
    );
  return {
    plugin: freezeDeep(
      {
        get signal() {
          signal ??= makeSignal();
          return signal;
        },
        replay,
      },
      ["signal"],
    ),
    abort() {
      if (reason !== undefined) return;
      reason = Object.freeze(
        Object.assign(new Error("the call was given up: its deadline passed or its caller left"), {
          name: "AbortError",
          code: "ERR_CALL_ABORTED",
        }),
      );
      const called = listeners ?? [];
      listeners = undefined;
      for (const listener of called) listener();
    },
  };
}

/**
 * Freezes an object literal with its methods and accessors; their prototypes are already frozen intrinsics. `accessors` are
 * named, so that the objects of every call are frozen without inspecting their descriptors.
 */
export function freezeDeep<T extends object>(value: T, accessors: readonly (keyof T)[] = []): T {
  for (const key of accessors) Object.freeze(Object.getOwnPropertyDescriptor(value, key)?.get);
  for (const key in value) {
    if (accessors.includes(key)) continue;
    const member: unknown = value[key];
    if (typeof member === "function") Object.freeze(member);
  }
  return Object.freeze(value);
}
