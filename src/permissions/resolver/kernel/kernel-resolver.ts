/** The resolver's sockets in one namespace, in a process that is kept running while there is a listener; after a crash all are opened again. */
import type { OperatorLog } from "../../../common/logger.js";
import { Mutex } from "../../../common/mutex.js";
import { messageOf } from "../../../common/text.js";
import { KeptService } from "../../netlink/kernel/kept-service.js";
import { netnsPath } from "../../netlink/kernel/programs.js";
import type { Listener, Query, Question, ResolverBackend } from "../backend.js";
import { failed } from "../errors.js";
import { RESOLVER } from "../limits.js";
import { order, startResolver } from "./resolver-process.js";

export class KernelResolver implements ResolverBackend {
  readonly kind = "kernel";
  heard: (query: Query) => void = () => {};
  readonly #logger: OperatorLog;
  readonly #wanted = new Map<string, Listener>();
  /** Serializes starts, listeners and the end. */
  readonly #mutex = new Mutex();
  readonly #service: KeptService;

  /** `netns`: a name, a path, or the process's own. */
  constructor(netns: string | undefined, logger: OperatorLog) {
    this.#logger = logger;
    const path = netns === undefined ? undefined : netnsPath(netns);
    this.#service = new KeptService({
      mutex: this.#mutex,
      lingerMs: RESOLVER.lingerMs,
      start: () =>
        startResolver(path, {
          log: (text) => logger.warn({}, `resolver: ${text}`),
          heard: (query, from) => from === this.#service.process && this.heard(query),
        }),
      needed: () => this.#wanted.size > 0,
      ended: (how, pid) => logger.error({ pid }, `resolver: its process ended (${how}); it is started again`),
      mend: () => this.#mend(),
    });
  }

  /** The PID of the process, while it runs. */
  get pid(): number | undefined {
    return this.#service.process?.pid;
  }

  listen(listener: Listener): Promise<void> {
    return this.#mutex.run(async () => {
      await this.#open(listener);
      this.#wanted.set(listener.ip, listener);
    });
  }

  stop(ip: string): Promise<void> {
    return this.#mutex.run(async () => {
      this.#wanted.delete(ip);
      const { process } = this.#service;
      if (process) await order(process, { stop: ip }, RESOLVER.orderMs).catch(() => {});
      if (this.#wanted.size === 0) this.#service.linger();
    });
  }

  answer(id: number, message: string, keepMs: number): void {
    this.#service.process?.tell({ answer: id, message, keepMs });
  }

  drop(id: number): void {
    this.#service.process?.tell({ drop: id });
  }

  async ask(question: Question): Promise<string> {
    const { ip, port } = question.server;
    // Closes its own sockets in time; one that hangs is ended.
    const { process } = this.#service;
    const outcome =
      process &&
      (await order(process, { ask: question }, RESOLVER.askMs + RESOLVER.orderMs).catch((error: unknown) => ({
        code: messageOf(error),
        message: undefined,
      })));
    if (outcome?.message !== undefined) return outcome.message;
    throw failed(undefined, "ask", `${ip} port ${port}: ${outcome?.code ?? "no network is served"}`);
  }

  async close(): Promise<void> {
    await this.#mutex.run(async () => this.#wanted.clear());
    await this.#service.endIdle();
  }

  async #open(listener: Listener): Promise<void> {
    const { ip } = listener;
    const outcome = await this.#service
      .running()
      .then((process) => order(process, { listen: listener }, RESOLVER.orderMs))
      .catch((error: unknown) => ({ code: messageOf(error) }));
    if (outcome.code === undefined) return;
    const hint =
      outcome.code === "EADDRINUSE"
        ? "; a name server of the host's has port 53 at every address: bind it to its own"
        : "";
    throw failed(undefined, "listen", `${ip} port 53: ${outcome.code}${hint}`);
  }

  /** Opens all wanted listeners again; resolves with whether all are open. */
  async #mend(): Promise<boolean> {
    for (const listener of this.#wanted.values()) {
      try {
        await this.#open(listener);
      } catch (error) {
        this.#logger.warn({ err: error }, "resolver: names of a network are not resolved; it is tried again");
        return false;
      }
    }
    return true;
  }
}
