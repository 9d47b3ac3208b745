/** comlink's Endpoint over our frames: comlink's own adapters need a MessagePort each. */
import type { Endpoint } from "comlink";

export interface WireEndpoint extends Endpoint {
  /** Passes an incoming message to comlink. */
  deliver(message: unknown): void;
}

/** Creates an endpoint; `post` takes each message comlink sends. */
export function createWireEndpoint(post: (message: unknown) => void): WireEndpoint {
  const listeners = new Set<(event: MessageEvent) => void>();
  return {
    postMessage: (message) => post(message),
    addEventListener(type, listener) {
      if (type === "message") listeners.add(listener as (event: MessageEvent) => void);
    },
    removeEventListener(_type, listener) {
      listeners.delete(listener as (event: MessageEvent) => void);
    },
    deliver(message) {
      const event = { data: message } as MessageEvent;
      for (const listener of listeners) listener(event);
    },
  };
}
