/** Requests of all plugins that wait for a hub: bounded per plugin, served in batches, refused when their grant or the hub ends. */
import type { Mutex } from "../common/mutex.js";
import { messageOf } from "../common/text.js";
import { DriverError } from "../driverapi/errors.js";
import type { Json } from "../driverapi/json.js";

/** A request. `limits` identifies the grant: it is the very object that the grant was opened with. */
export interface Asked {
  readonly plugin: string;
  readonly limits: object;
  readonly request: { readonly op: string };
}

/** A request that waits for its reply. */
export type Job<A extends Asked> = A & {
  resolve(reply: Json): void;
  reject(error: Error): void;
};

/** Why a request is refused whose result could not be recorded. A plugin is not told which folder is full. */
export const NO_ROOM = "the platform's disk is full; what is deleted makes room";

export interface RequestQueueOptions<A extends Asked> {
  readonly permission: "firewall" | "netlink" | "traffic";
  /** Requests of one plugin that may wait. */
  readonly max: number;
  /** Makes the permission's error for a request that failed. */
  failed(plugin: string, op: string, why: string, cause?: unknown): DriverError;
  /** Serializes batches with the hub's other work. */
  readonly mutex: Mutex;
  /** Chooses the next batch from the waiting requests, in the order in which they came. */
  choose(jobs: readonly Job<A>[]): readonly Job<A>[];
  /** Settles each request of a batch, which has at least one. If it rejects, the rest of the batch is rejected. */
  serve(batch: readonly Job<A>[]): Promise<void>;
}

export class RequestQueue<A extends Asked> {
  readonly #options: RequestQueueOptions<A>;
  #jobs: readonly Job<A>[] = [];
  #draining = false;
  #closed = false;

  constructor(options: RequestQueueOptions<A>) {
    this.#options = options;
  }

  /**
   * Queues a request; settles with its reply. Rejects with `ERR_PERMISSION_LIMIT` when too many of its plugin wait, and with the
   * permission's own error once the queue is closed.
   */
  add(asked: A): Promise<Json> {
    const { permission, max, failed, mutex } = this.#options;
    const { plugin, request } = asked;
    if (this.#closed) return Promise.reject(failed(plugin, request.op, "the host is closing"));
    if (this.#jobs.filter((job) => job.plugin === plugin).length >= max) {
      const why = `more than ${max} requests of plugin "${plugin}" are waiting; await their replies`;
      return Promise.reject(new DriverError("ERR_PERMISSION_LIMIT", `${permission}.${request.op}: ${why}`, { plugin }));
    }
    const reply = new Promise<Json>((resolve, reject) => {
      this.#jobs = [...this.#jobs, { ...asked, resolve, reject }];
    });
    if (!this.#draining) {
      this.#draining = true;
      void mutex.run(() => this.#drain());
    }
    return reply;
  }

  /** Rejects the waiting requests of a grant that has ended. */
  refuse(limits: object): void {
    this.#reject(
      this.#take((jobs) => jobs.filter((job) => job.limits === limits)),
      "its grant has ended",
    );
  }

  /** Takes no more requests, and rejects those that wait; a batch that is being served is finished. */
  close(): void {
    this.#closed = true;
    this.#reject(
      this.#take((jobs) => jobs),
      "the host is closing",
    );
  }

  /**
   * Serves one batch: the requests of the present turn of the event loop. Later ones get a turn of their own, so that a plugin that
   * never stops asking does not keep the host from its own work.
   */
  async #drain(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    const { mutex, choose, serve } = this.#options;
    const batch = this.#take(choose);
    try {
      if (batch.length > 0) await serve(batch);
    } catch (error) {
      this.#reject(batch, error);
    }
    this.#draining = this.#jobs.length > 0;
    if (this.#draining) void mutex.run(() => this.#drain());
  }

  #take(choose: (jobs: readonly Job<A>[]) => readonly Job<A>[]): readonly Job<A>[] {
    const batch = new Set(choose(this.#jobs));
    this.#jobs = this.#jobs.filter((job) => !batch.has(job));
    return [...batch];
  }

  /** Rejects requests because of `error`. A plugin is not told the path that an error of the data folder names. */
  #reject(jobs: readonly Job<A>[], error: unknown): void {
    for (const { plugin, request, reject } of jobs) {
      if (error instanceof DriverError && error.file !== undefined)
        reject(this.#options.failed(plugin, request.op, "the platform could not record the change"));
      else if (error instanceof DriverError) reject(error);
      else
        reject(
          this.#options.failed(plugin, request.op, messageOf(error), typeof error === "string" ? undefined : error),
        );
    }
  }
}
