/** Serves a host's drivers to a Docker engine: one socket per network type, for as long as its driver is in service. */

import { mkdirSync } from "node:fs";
import type { Logger } from "../common/logger.js";
import { messageOf } from "../common/text.js";
import { DriverError } from "../driverapi/errors.js";
import type { DriverEvent } from "../host/events.js";
import type { PluginHost } from "../host/plugin-host.js";
import { DOCKER } from "./limits.js";
import { RecentEndpoints } from "./recent-endpoints.js";
import { ServedType, typeView } from "./served-type.js";
import { clearStale, type SocketOwner, SocketTaken, socketPath } from "./socket-file.js";

/** Where an engine looks for plugins. */
export const DOCKER_DIR = "/run/docker/plugins";
/** Prefix of a socket's name, so that no type takes the name of one of the engine's own drivers. */
export const DOCKER_PREFIX = "bulkhead-";

export interface GatewayOptions {
  readonly host: PluginHost;
  readonly logger: Logger;
  /** Default: `/run/docker/plugins`. */
  readonly directory?: string | undefined;
  /** Default: `bulkhead-`. */
  readonly prefix?: string | undefined;
  /** Default: the daemon's own account. */
  readonly owner?: SocketOwner | undefined;
  /** Deadline of every request, in milliseconds. Default: 10,000. */
  readonly answerMs?: number | undefined;
  /** The engine's own socket, asked for container names. Default: none. */
  readonly engine?: string | undefined;
  /** Milliseconds between two checks that each socket is in place. Default: 1,000. */
  readonly socketCheckMs?: number | undefined;
}

export class DockerGateway {
  readonly #options: GatewayOptions;
  readonly #directory: string;
  readonly #prefix: string;
  readonly #served = new Map<string, ServedType>();
  /** Types that are registered. */
  readonly #wanted = new Set<string>();
  /** Why a type's socket could not be put or kept in place, by type. */
  readonly #problems = new Map<string, Error>();
  /** Types that their manifest keeps from an engine, once logged. */
  readonly #excluded = new Set<string>();
  readonly #recent = new RecentEndpoints();
  readonly #closing = new Set<Promise<void>>();
  #repairing: NodeJS.Timeout | undefined;
  /** Serializes changes of sockets. */
  #queue: Promise<void> = Promise.resolve();
  #closed = false;

  private constructor(options: GatewayOptions) {
    this.#options = options;
    this.#directory = options.directory ?? DOCKER_DIR;
    this.#prefix = options.prefix ?? DOCKER_PREFIX;
  }

  /**
   * Removes what a crashed run left, and serves every registered driver, now and later. Throws `ERR_DOCKER_SOCKET` if the folder
   * cannot be used, or if another daemon serves one of the sockets; then it serves none.
   */
  static async open(options: GatewayOptions): Promise<DockerGateway> {
    const gateway = new DockerGateway(options);
    try {
      mkdirSync(gateway.#directory, { recursive: true, mode: 0o755 });
      const cleared = await clearStale(gateway.#directory, gateway.#prefix);
      if (cleared.length > 0)
        options.logger.warn({ sockets: cleared }, "docker: removed sockets that a crashed run had left");
    } catch (error) {
      const why = messageOf(error);
      throw new DriverError("ERR_DOCKER_SOCKET", `${gateway.#directory}: ${why}`);
    }
    const { host } = options;
    host.on("driver:registered", gateway.#registered);
    host.on("driver:unregistered", gateway.#unregistered);
    for (const type of host.plugins().flatMap(({ drivers }) => drivers)) gateway.#registered({ type });
    await gateway.#queue;
    const taken = [...gateway.#problems.values()].find(
      (error) => error instanceof SocketTaken && (error.daemon || gateway.#served.size === 0),
    );
    if (taken) {
      await gateway.close();
      throw taken;
    }
    gateway.#repairing = setInterval(
      () => void gateway.#repair(),
      options.socketCheckMs ?? DOCKER.socketCheckMs,
    ).unref();
    return gateway;
  }

  /** The sockets in place, by network type. */
  get sockets(): ReadonlyMap<string, string> {
    return new Map([...this.#served].map(([type, { path }]) => [type, path]));
  }

  /** Resolves when the sockets of all types registered now are in place. */
  settled(): Promise<void> {
    return this.#queue;
  }

  /** Removes the sockets at once, and replies to pending requests within `DOCKER.closeMs`. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#repairing);
    const { host } = this.#options;
    host.off("driver:registered", this.#registered);
    host.off("driver:unregistered", this.#unregistered);
    await this.#next(async () => {
      for (const type of [...this.#served.keys()]) this.#withdraw(type);
    });
    await Promise.all(this.#closing);
  }

  readonly #registered = ({ type }: Pick<DriverEvent, "type">): void => {
    this.#wanted.add(type);
    void this.#next(() => this.#serve(type));
  };

  readonly #unregistered = ({ type }: DriverEvent): void => {
    this.#wanted.delete(type);
    this.#excluded.delete(type);
    this.#problems.delete(type);
    void this.#next(async () => this.#withdraw(type));
  };

  #next(work: () => Promise<void>): Promise<void> {
    this.#queue = this.#queue.then(work).catch((error: unknown) => {
      const known = messageOf(error);
      this.#options.logger.error({ err: error }, `docker: ${known}`);
    });
    return this.#queue;
  }

  /** Restores removed sockets, and retries types that could not be served. */
  #repair(): Promise<void> {
    return this.#next(async () => {
      for (const type of this.#wanted) await this.#serve(type);
    });
  }

  /** Puts a type's socket in place. Logs an obstacle once. */
  async #serve(type: string): Promise<void> {
    if (this.#closed || !this.#wanted.has(type)) return;
    const { host, logger, owner, engine, answerMs = DOCKER.answerMs } = this.#options;
    const before = this.#served.get(type);
    try {
      if (this.#isExcluded(type) || before?.inPlace()) return;
      const path = socketPath(this.#directory, this.#prefix, type);
      const [directory, recent] = [this.#directory, this.#recent];
      const options = { type, host, logger, directory, path, owner, answerMs, engine, recent };
      this.#served.set(type, await ServedType.open(options));
      this.#problems.delete(type);
      if (before) {
        logger.warn({ driver: type, socket: path }, `docker: ${path} was removed by another program, and is restored`);
        this.#end(before);
      } else logger.info({ driver: type, socket: path }, `docker: driver "${type}" is served`);
    } catch (error) {
      const known = error instanceof Error ? error : new Error(String(error));
      if (this.#problems.get(type)?.message !== known.message)
        logger.error({ driver: type, err: known }, `docker: ${known.message}`);
      this.#problems.set(type, known);
    }
  }

  /** Returns whether the plugin's manifest keeps a type from engines. */
  #isExcluded(type: string): boolean {
    const { host, logger } = this.#options;
    const { docker, plugin } = typeView(host, type);
    if (docker) {
      this.#excluded.delete(type);
      return false;
    }
    this.#withdraw(type);
    if (!this.#excluded.has(type))
      logger.info(
        { driver: type, plugin },
        `docker: driver "${type}" is not served: the manifest of plugin "${plugin}" says "docker": false`,
      );
    this.#excluded.add(type);
    return true;
  }

  #withdraw(type: string): void {
    const served = this.#served.get(type);
    if (!served) return;
    this.#served.delete(type);
    this.#end(served);
    this.#options.logger.info({ driver: type }, `docker: driver "${type}" is no longer served`);
  }

  /** Closes a server in the background; only `close` waits for it. */
  #end(served: ServedType): void {
    const closing = served.close().catch((error: unknown) => {
      this.#options.logger.error({ err: error }, "docker: a server could not be closed");
    });
    this.#closing.add(closing);
    void closing.then(() => this.#closing.delete(closing));
  }
}
