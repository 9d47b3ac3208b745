/**
 * The resolver's sockets in one namespace. Its process is started for the first listener and ended some time after the last; if it
 * crashes, it is restarted with back-off, as in `port-holder.ts`, and all listeners are opened again.
 */
import { RESTARTS } from "../../../common/limits.js";
import type { OperatorLog } from "../../../common/logger.js";
import { Mutex } from "../../../common/mutex.js";
import { messageOf } from "../../../common/text.js";
import { netnsPath } from "../../netlink/kernel/programs.js";
import type { Listener, Query, Question, ResolverBackend } from "../backend.js";
import { failed } from "../errors.js";
import { RESOLVER } from "../limits.js";
import { ResolverProcess } from "./resolver-process.js";

export class KernelResolver implements ResolverBackend {
  readonly kind = "kernel";
  heard: (query: Query) => void = () => {};
  readonly #netns: string | undefined;
  readonly #logger: OperatorLog;
  readonly #wanted = new Map<string, Listener>();
  /** Serializes starts, listeners and the end. */
  readonly #mutex = new Mutex();
  #process: ResolverProcess | undefined;
  #backoff: number = RESTARTS.firstMs;
  #mending: NodeJS.Timeout | undefined;
  #lingering: NodeJS.Timeout | undefined;

  /** `netns`: a name, a path, or the process's own. */
  constructor(netns: string | undefined, logger: OperatorLog) {
    this.#netns = netns === undefined ? undefined : netnsPath(netns);
    this.#logger = logger;
  }

  /** The PID of the process, while it runs. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  listen(listener: Listener): Promise<void> {
    return this.#mutex.run(async () => {
      clearTimeout(this.#lingering);
      await this.#open(listener);
      this.#wanted.set(listener.ip, listener);
    });
  }

  stop(ip: string): Promise<void> {
    return this.#mutex.run(async () => {
      this.#wanted.delete(ip);
      await this.#process?.ask({ stop: ip }, RESOLVER.orderMs).catch(() => {});
      if (this.#wanted.size > 0) return;
      clearTimeout(this.#lingering);
      this.#lingering = setTimeout(() => void this.#mutex.run(() => this.#endIdle()), RESOLVER.lingerMs).unref();
    });
  }

  answer(id: number, message: string): void {
    this.#process?.tell({ answer: id, message });
  }

  drop(id: number): void {
    this.#process?.tell({ drop: id });
  }

  async ask(question: Question): Promise<string> {
    const { ip, port } = question.server;
    // Closes its own sockets in time; one that hangs is ended.
    const outcome = await this.#process
      ?.ask({ ask: question }, RESOLVER.askMs + RESOLVER.orderMs)
      .catch((error: unknown) => ({ code: messageOf(error), message: undefined }));
    if (outcome?.message !== undefined) return outcome.message;
    throw failed(undefined, "ask", `${ip} port ${port}: ${outcome?.code ?? "no network is served"}`);
  }

  close(): Promise<void> {
    return this.#mutex.run(async () => {
      this.#wanted.clear();
      await this.#endIdle();
    });
  }

  async #endIdle(): Promise<void> {
    if (this.#wanted.size > 0) return;
    clearTimeout(this.#lingering);
    clearTimeout(this.#mending);
    this.#mending = undefined;
    const ending = this.#process;
    this.#process = undefined;
    ending?.end();
    await ending?.ended;
  }

  async #open(listener: Listener): Promise<void> {
    const { ip } = listener;
    const outcome = await this.#running()
      .then((process) => process.ask({ listen: listener }, RESOLVER.orderMs))
      .catch((error: unknown) => ({ code: messageOf(error) }));
    if (outcome.code === undefined) return;
    const hint =
      outcome.code === "EADDRINUSE"
        ? "; a name server of the host's has port 53 at every address: bind it to its own"
        : "";
    throw failed(undefined, "listen", `${ip} port 53: ${outcome.code}${hint}`);
  }

  async #running(): Promise<ResolverProcess> {
    if (this.#process) return this.#process;
    const started = await ResolverProcess.start(this.#netns, {
      log: (text) => this.#logger.warn({}, `resolver: ${text}`),
      heard: (query) => this.#process === started && this.heard(query),
    });
    this.#process = started;
    const since = Date.now();
    void started.ended.then((how) => {
      if (this.#process !== started) return;
      this.#process = undefined;
      if (Date.now() - since > RESTARTS.maxMs) this.#backoff = RESTARTS.firstMs;
      if (this.#wanted.size === 0) return;
      this.#logger.error({ pid: started.pid }, `resolver: its process ended (${how}); it is started again`);
      this.#later();
    });
    return started;
  }

  /** Opens all wanted listeners again. */
  async #mend(): Promise<void> {
    for (const listener of this.#wanted.values()) {
      try {
        await this.#open(listener);
      } catch (error) {
        this.#logger.warn({ err: error }, "resolver: names of a network are not resolved; it is tried again");
        this.#later();
        return;
      }
    }
    this.#backoff = Math.max(RESTARTS.firstMs, this.#backoff / 2);
  }

  #later(): void {
    if (this.#mending) return;
    this.#mending = setTimeout(() => {
      this.#mending = undefined;
      void this.#mutex.run(() => this.#mend());
    }, this.#backoff).unref();
    this.#backoff = Math.min(this.#backoff * 2, RESTARTS.maxMs);
  }
}
