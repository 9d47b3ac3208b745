/** Starts worker threads in this process with Piscina: one endless task per plugin, a pool per memory class, and spares. */

import { fileURLToPath } from "node:url";
import { MessageChannel } from "node:worker_threads";
import { Piscina } from "piscina";
import { messageOf } from "../common/text.js";
import { within } from "../common/within.js";
import { DriverError } from "../driverapi/errors.js";
import { THREADS } from "./limits.js";
import type { Launcher, LaunchRequest } from "./link.js";
import { describeEnd, LiveThreads } from "./live-threads.js";
import { memoryClass } from "./memory-class.js";
import { permissionFlags } from "./permission-flags.js";
import { guardPiscinaPort } from "./raw-ports.js";
import { ThreadLink } from "./thread-link.js";

/** Settings for tests; the runtime uses the defaults. */
export interface ThreadLauncherOptions {
  /** The worker's bootstrap. */
  readonly bootstrap?: string;
  /** Spares kept waiting per memory class in use. */
  readonly spares?: number;
  /** Node's permission flags for the workers. */
  readonly execArgv?: readonly string[];
  /** The workers' environment and arguments. Default: empty. */
  readonly env?: Readonly<Record<string, string>>;
  readonly argv?: readonly string[];
  /** True if the workers will get streams of their own (`ThreadLink.grantStream`). Default: false. */
  readonly streams?: boolean;
}

const BOOTSTRAP = fileURLToPath(new URL("../worker/bootstrap.cjs", import.meta.url));

interface MemoryPool {
  readonly pool: Piscina;
  readonly spares: Set<ThreadLink>;
  /** Spares that are not ready yet. */
  readonly coming: Set<Promise<ThreadLink>>;
  /** Links whose workers are not ready yet. */
  readonly starting: Set<ThreadLink>;
}

let nextRoute = 1;

/** The launcher of `isolation: "thread"`. */
export class ThreadLauncher implements Launcher {
  readonly #bootstrap: string;
  #spareCount: number;
  readonly #execArgv: string[];
  readonly #env: Record<string, string>;
  readonly #argv: string[];
  readonly #streams: boolean;
  readonly #pools = new Map<number, MemoryPool>();
  readonly #threads = new LiveThreads();
  readonly #links = new Set<ThreadLink>();
  readonly #queue: Array<() => void> = [];
  #starting = 0;
  #closed = false;

  constructor(options: ThreadLauncherOptions = {}) {
    this.#bootstrap = options.bootstrap ?? BOOTSTRAP;
    this.#spareCount = options.spares ?? 1;
    this.#execArgv = [...(options.execArgv ?? permissionFlags(this.#bootstrap))];
    this.#env = { ...options.env };
    this.#argv = [...(options.argv ?? [])];
    this.#streams = options.streams ?? false;
  }

  /** Prepares a worker of a memory class that is soon to be requested, unless one is ready or being prepared. */
  warm(memoryMb: number): void {
    const size = memoryClass(memoryMb);
    const group = this.#group(size);
    if (!this.#closed && group.spares.size + group.coming.size === 0) this.#ahead(group, size);
  }

  /** Stops replacing spares: from now on every worker is started on request. Existing spares stay. */
  keepNoSpares(): void {
    this.#spareCount = 0;
  }

  async launch({ plugin, memoryMb }: LaunchRequest): Promise<ThreadLink> {
    const size = memoryClass(memoryMb);
    const group = this.#group(size);
    for (const spare of group.spares) {
      group.spares.delete(spare);
      // The plugin that takes it starts at once, and would share the CPU with the next spare's lockdown.
      setTimeout(() => this.#refill(group, size), THREADS.refillMs).unref();
      return spare;
    }
    const [coming = this.#start(group, false)] = group.coming;
    group.coming.delete(coming);
    let link: ThreadLink;
    try {
      link = await coming;
    } catch (error) {
      throw new DriverError("ERR_PLUGIN_START", `plugin "${plugin}": no worker became ready: ${messageOf(error)}`, {
        plugin,
      });
    }
    this.#refill(group, size);
    return link;
  }

  live(): number {
    return this.#threads.size;
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const link of this.#links) link.kill("the host is closing");
    const ended = this.#threads.ended();
    await Promise.all([...this.#pools.values()].map(({ pool }) => pool.destroy()));
    // A thread inside one long native call ends only when the call returns, which can take hours: stops waiting after a
    // while.
    await within(THREADS.endMs, ended);
  }

  #group(size: number): MemoryPool {
    let group = this.#pools.get(size);
    if (group) return group;
    const pool = new Piscina({
      filename: this.#bootstrap,
      minThreads: 0,
      maxThreads: THREADS.perPool,
      idleTimeout: Number.POSITIVE_INFINITY,
      atomics: "disabled",
      recordTiming: false,
      env: this.#env,
      argv: this.#argv,
      execArgv: this.#execArgv,
      resourceLimits: {
        maxOldGenerationSizeMb: size,
        // If it is too small for the calls in flight, they are copied to the old generation one by one: half of a busy
        // worker's time.
        maxYoungGenerationSizeMb: Math.max(8, size / 2),
        stackSizeMb: 4,
        // Newer engines reserve half a gibibyte per worker for compiled code, as writable memory.
        codeRangeSizeMb: 32,
      },
    });
    // A worker that fails outside a task, or posts what Piscina does not expect, must not cause an uncaught error of the
    // platform.
    pool.on("error", () => {});
    pool.on("message", () => {});
    pool.on("workerCreate", (created: unknown) => guardPiscinaPort(created, (thread) => this.#threads.foreign(thread)));
    group = { pool, spares: new Set(), coming: new Set(), starting: new Set() };
    this.#pools.set(size, group);
    return group;
  }

  /** Starts a spare in the background if there are too few. */
  #refill(group: MemoryPool, size: number): void {
    if (!this.#closed && group.spares.size + group.coming.size < this.#spareCount) this.#ahead(group, size);
  }

  /** Starts a spare. A request for a worker that comes before it is ready removes it from `coming` and waits for it. */
  #ahead(group: MemoryPool, size: number): void {
    const coming = this.#start(group, true);
    group.coming.add(coming);
    coming.then(
      (link) => {
        if (!group.coming.delete(coming)) return;
        if (this.#closed) link.kill("the host is closing");
        else {
          group.spares.add(link);
          link.onEnd = () => group.spares.delete(link);
          this.#refill(group, size);
        }
      },
      () => group.coming.delete(coming),
    );
  }

  /** Starts a worker. `ahead`: no request is waiting for it. */
  async #start(group: MemoryPool, ahead: boolean): Promise<ThreadLink> {
    while (this.#starting >= THREADS.starting) await new Promise<void>((resolve) => this.#queue.push(resolve));
    this.#starting++;
    try {
      if (this.#closed) throw new Error("the host is closing");
      return await this.#startNow(group, ahead);
    } finally {
      this.#starting--;
      this.#queue.shift()?.();
    }
  }

  async #startNow({ pool, starting }: MemoryPool, ahead: boolean): Promise<ThreadLink> {
    const { port1, port2 } = new MessageChannel();
    const cell = new SharedArrayBuffer(8);
    const route = nextRoute++;
    const stop = new AbortController();
    const link = new ThreadLink(route, port1, cell, () => stop.abort());
    this.#links.add(link);
    starting.add(link);
    const data = { port: port2, cell, route, ahead, streams: this.#streams };
    const task = pool.run(data, { transferList: [port2], signal: stop.signal });
    this.#threads.adopt(pool.threads, starting);
    task.then(
      () => link.ended({ how: "exit", detail: "the worker's task returned" }),
      (error: unknown) => link.ended(describeEnd(error)),
    );
    void link.gone.then(() => this.#links.delete(link));
    try {
      const hello = await within(THREADS.readyMs, link.hello);
      if (hello === undefined) throw new Error(`not ready within ${THREADS.readyMs} ms`);
      this.#threads.bind(hello, link);
      return link;
    } catch (error) {
      link.kill("not ready in time");
      throw error;
    } finally {
      starting.delete(link);
    }
  }
}
