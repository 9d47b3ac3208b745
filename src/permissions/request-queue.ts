/** Requests of all plugins that wait for a hub: FIFO, bounded per plugin, refused when their grant ends. */
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

export interface RequestQueueOptions {
  readonly permission: "firewall" | "netlink" | "traffic";
  /** Requests of one plugin that may wait. */
  readonly max: number;
  /** Makes the permission's error for a request that failed. */
  failed(plugin: string, op: string, why: string, cause?: unknown): DriverError;
}

export class RequestQueue<A extends Asked> {
  readonly #options: RequestQueueOptions;
  #jobs: readonly Job<A>[] = [];

  constructor(options: RequestQueueOptions) {
    this.#options = options;
  }

  get empty(): boolean {
    return this.#jobs.length === 0;
  }

  /** Queues a request; settles with its reply. Rejects with `ERR_PERMISSION_LIMIT` when too many of its plugin wait. */
  add(asked: A): Promise<Json> {
    const { permission, max } = this.#options;
    const { plugin, request } = asked;
    if (this.#jobs.filter((job) => job.plugin === plugin).length >= max) {
      const why = `more than ${max} requests of plugin "${plugin}" are waiting; await their replies`;
      return Promise.reject(new DriverError("ERR_PERMISSION_LIMIT", `${permission}.${request.op}: ${why}`, { plugin }));
    }
    return new Promise((resolve, reject) => {
      this.#jobs = [...this.#jobs, { ...asked, resolve, reject }];
    });
  }

  /** Takes the requests that `choose` returns out of the queue. */
  take(choose: (jobs: readonly Job<A>[]) => readonly Job<A>[]): readonly Job<A>[] {
    const batch = new Set(choose(this.#jobs));
    this.#jobs = this.#jobs.filter((job) => !batch.has(job));
    return [...batch];
  }

  /** Rejects the waiting requests of a grant that has ended. */
  refuse(limits: object): void {
    this.reject(
      this.take((jobs) => jobs.filter((job) => job.limits === limits)),
      "its grant has ended",
    );
  }

  /** Rejects requests because of `error`. A plugin is not told the path that an error of the data folder names. */
  reject(jobs: readonly Job<A>[], error: unknown): void {
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
