/** A resolver without sockets: tests send the queries, and are the upstream servers. */
import { monotonicNow } from "../../../common/clock.js";
import type { Listener, Query, Question, ResolverBackend } from "../backend.js";
import { failed } from "../errors.js";
import { KeptAnswers } from "../kept-answers.js";

export class ModelResolver implements ResolverBackend {
  readonly kind = "model";
  heard: (query: Query) => void = () => {};
  /** The open listeners, by address. */
  readonly listeners: Map<string, Listener> = new Map();
  /** Replies for an upstream server, which a test may set: bytes in base64. */
  upstream: (question: Question) => Promise<string> = async ({ server }) => {
    throw failed(undefined, "ask", `${server.ip} port ${server.port}: ETIMEDOUT`);
  };
  readonly #open = new Map<number, (answer: string | undefined, keepMs: number) => void>();
  /** What each listener may say again. */
  readonly #kept = new Map<string, KeptAnswers>();
  #next = 0;

  /** Sends a query to a listener; resolves with the answer, or undefined if it is given up. */
  query(ip: string, from: string, message: string, tcp = false): Promise<string | undefined> {
    const kept = this.#kept.get(ip);
    if (!kept) return Promise.resolve(undefined);
    const asked = { from, tcp, message: Buffer.from(message, "base64") };
    const again = kept.get(asked);
    if (again) return Promise.resolve(again.toString("base64"));
    const since = monotonicNow();
    const id = this.#next++;
    return new Promise((resolve) => {
      this.#open.set(id, (answer, keepMs) => {
        if (answer !== undefined) kept.put(asked, Buffer.from(answer, "base64"), since, keepMs);
        resolve(answer);
      });
      this.heard({ id, ip, from, tcp, message });
    });
  }

  async listen(listener: Listener): Promise<void> {
    this.listeners.set(listener.ip, listener);
    this.#kept.set(listener.ip, new KeptAnswers(monotonicNow));
  }

  async stop(ip: string): Promise<void> {
    this.listeners.delete(ip);
    this.#kept.delete(ip);
  }

  answer(id: number, message: string, keepMs: number): void {
    this.#settle(id, message, keepMs);
  }

  drop(id: number): void {
    this.#settle(id, undefined);
  }

  ask(question: Question): Promise<string> {
    return this.upstream(question);
  }

  async close(): Promise<void> {
    this.listeners.clear();
    this.#kept.clear();
    for (const id of [...this.#open.keys()]) this.#settle(id, undefined);
  }

  #settle(id: number, answer: string | undefined, keepMs = 0): void {
    const resolve = this.#open.get(id);
    this.#open.delete(id);
    resolve?.(answer, keepMs);
  }
}
