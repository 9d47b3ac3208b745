/** A worker's requests to its host, through comlink's `wrap`, at most `LIMITS.requestsOpen` pending at a time. */
import type { Json } from "../driverapi/json.js";
import type { HostPort } from "../permissions/permission.js";
import { LIMITS } from "../protocol/limits.js";
import { refusal } from "./errors.js";
import { WORKER } from "./limits.js";

/** The host as comlink shows it: any method name is a function that sends a request. */
export type RemoteHost = Readonly<Record<string, (...args: readonly Json[]) => Promise<Json>>>;

/** Notices a worker may send between two turns of its loop; further ones are dropped. */
const NOTICES_PER_TURN = 256;

type Method = (...args: readonly Json[]) => Promise<Json>;

export class HostRequests implements HostPort {
  readonly #remote: RemoteHost;
  /** Methods by name: comlink makes a new proxy, which it registers for finalization, each time one is read. */
  readonly #methods = new Map<string, Method>();
  readonly #send: (name: string, args: readonly Json[]) => void;
  readonly #waiting: Array<() => void> = [];
  #open = 0;
  #notices = 0;

  constructor(remote: RemoteHost, send: (name: string, args: readonly Json[]) => void) {
    this.#remote = remote;
    this.#send = send;
  }

  async request(name: string, args: readonly Json[]): Promise<Json> {
    if (this.#open >= LIMITS.requestsOpen) {
      if (this.#waiting.length >= WORKER.requestsWaiting) {
        throw refusal(
          "ERR_PERMISSION_LIMIT",
          `${name}: more than ${WORKER.requestsWaiting} requests are waiting; await their replies`,
        );
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#open++;
    try {
      return await this.#method(name)(...args);
    } finally {
      this.#open--;
      this.#waiting.shift()?.();
    }
  }

  #method(name: string): Method {
    const known = this.#methods.get(name);
    if (known) return known;
    const method = this.#remote[name] as Method;
    this.#methods.set(name, method);
    return method;
  }

  notify(name: string, args: readonly Json[]): void {
    if (this.#notices === 0) {
      setImmediate(() => {
        this.#notices = 0;
      });
    }
    if (this.#notices++ < NOTICES_PER_TURN) this.#send(name, args);
  }
}
