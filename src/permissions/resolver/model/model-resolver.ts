/** A resolver without sockets: tests send the queries, and are the upstream servers. */
import type { Listener, Query, Question, ResolverBackend } from "../backend.js";
import { failed } from "../errors.js";

export class ModelResolver implements ResolverBackend {
  readonly kind = "model";
  heard: (query: Query) => void = () => {};
  /** The open listeners, by address. */
  readonly listeners: Map<string, Listener> = new Map();
  /** Replies for an upstream server, which a test may set: bytes in base64. */
  upstream: (question: Question) => Promise<string> = async ({ server }) => {
    throw failed(undefined, "ask", `${server.ip} port ${server.port}: ETIMEDOUT`);
  };
  readonly #open = new Map<number, (answer: string | undefined) => void>();
  #next = 0;

  /** Sends a query to a listener; resolves with the answer, or undefined if it is given up. */
  query(ip: string, from: string, message: string, tcp = false): Promise<string | undefined> {
    if (!this.listeners.has(ip)) return Promise.resolve(undefined);
    const id = this.#next++;
    return new Promise((resolve) => {
      this.#open.set(id, resolve);
      this.heard({ id, ip, from, tcp, message });
    });
  }

  async listen(listener: Listener): Promise<void> {
    this.listeners.set(listener.ip, listener);
  }

  async stop(ip: string): Promise<void> {
    this.listeners.delete(ip);
  }

  answer(id: number, message: string): void {
    this.#settle(id, message);
  }

  drop(id: number): void {
    this.#settle(id, undefined);
  }

  ask(question: Question): Promise<string> {
    return this.upstream(question);
  }

  async close(): Promise<void> {
    this.listeners.clear();
    for (const id of [...this.#open.keys()]) this.#settle(id, undefined);
  }

  #settle(id: number, answer: string | undefined): void {
    const resolve = this.#open.get(id);
    this.#open.delete(id);
    resolve?.(answer);
  }
}
