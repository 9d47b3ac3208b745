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

export class HostRequests implements HostPort {
  readonly #remote: RemoteHost;
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
      const call = this.#remote[name] as (...args: readonly Json[]) => Promise<Json>;
      return await call(...args);
    } finally {
      this.#open--;
      this.#waiting.shift()?.();
    }
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
