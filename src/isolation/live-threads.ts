/** Worker threads that have not ended yet, each with its link; their raw ports, stdout and stderr are kept off this process. */
import type { Worker } from "node:worker_threads";
import { THREADS } from "./limits.js";
import type { LinkEnd } from "./link.js";
import { guardNodePort } from "./raw-ports.js";
import type { ThreadLink } from "./thread-link.js";

export class LiveThreads {
  readonly #links = new Map<Worker, ThreadLink | undefined>();

  get size(): number {
    return this.#links.size;
  }

  /** Resolves when all threads alive now have ended. */
  async ended(): Promise<void> {
    await Promise.all([...this.#links.keys()].map((thread) => new Promise((resolve) => thread.once("exit", resolve))));
  }

  /** Tells a thread's link that the worker posted on a port that is not its own. */
  foreign(thread: Worker): void {
    this.#links.get(thread)?.foreign();
  }

  /**
   * Binds a thread to its link. Piscina gives the first task to the first worker that is ready, so only the worker itself can
   * report its thread. The thread ends with its link: Piscina would reuse a worker whose task has returned for the next
   * plugin.
   */
  bind(threadId: number, link: ThreadLink): void {
    const thread = [...this.#links.keys()].find((one) => one.threadId === threadId);
    if (thread === undefined) throw new Error("its thread ended");
    this.#links.set(thread, link);
    link.bind(thread);
    void link.gone.then(() => thread.terminate());
  }

  /** Takes over new threads; `starting`: the links whose threads are not known yet. */
  adopt(threads: readonly Worker[], starting: ReadonlySet<ThreadLink>): void {
    for (const thread of threads) {
      if (this.#links.has(thread)) continue;
      this.#links.set(thread, undefined);
      this.#followEnd(thread, starting);
      guardNodePort(thread, () => this.foreign(thread));
      drain(thread);
    }
  }

  #followEnd(thread: Worker, starting: ReadonlySet<ThreadLink>): void {
    let end: LinkEnd = { how: "exit", detail: "its thread ended" };
    thread.once("error", (error) => {
      end = describeEnd(error);
    });
    thread.once("exit", () => {
      const link = this.#links.get(thread);
      this.#links.delete(thread);
      // A thread that ends before it is ready has no link yet, and its task would never settle: all starting links are told.
      const ended = link ? [link] : [...starting];
      setImmediate(() => {
        for (const one of ended) one.ended(end);
      });
    });
  }
}

/** Discards what a thread prints, and stops reading it after a limit. */
function drain(thread: Worker): void {
  for (const stream of [thread.stdout, thread.stderr]) {
    let bytes = 0;
    stream.unpipe();
    stream.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > THREADS.stdioBytes) stream.destroy();
    });
  }
}

/** Describes how a worker ended, from the error its thread or its task ended with. */
export function describeEnd(error: unknown): LinkEnd {
  if (error instanceof Error) {
    if (error.name === "AbortError") return { how: "killed", detail: "terminated by the host" };
    if ((error as { code?: unknown }).code === "ERR_WORKER_OUT_OF_MEMORY")
      return { how: "memory", detail: "out of memory" };
    return { how: "exit", detail: String(error.message).slice(0, 500) };
  }
  return { how: "exit", detail: "the worker threw something that is not an Error" };
}
