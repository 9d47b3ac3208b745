/** Serves a host's drivers to a Docker engine: a socket per network type, there while a driver of it is in service. */
import { mkdirSync } from "node:fs";
import type { FastifyInstance } from "fastify";
import { DriverError } from "../driverapi/errors.js";
import type { DriverEvent } from "../host/events.js";
import type { Logger } from "../host/logger.js";
import { type PluginHost, viewOf } from "../host/plugin-host.js";
import type { TypeView } from "../host/type-view.js";
import { DOCKER } from "../protocol/limits.js";
import { Collector } from "./collector.js";
import { DriverCalls } from "./driver-calls.js";
import type { Serving } from "./methods.js";
import { createServer } from "./server.js";
import { clearStale, type PlacedSocket, placeSocket, type SocketOwner, socketPath } from "./socket-file.js";

/** Where an engine looks for plugins. */
export const DOCKER_DIR = "/run/docker/plugins";
/** Ahead of a type in its socket's name, so that the engine's own drivers keep theirs. */
export const DOCKER_PREFIX = "bulkhead-";

export interface GatewayOptions {
  readonly host: PluginHost;
  readonly logger: Logger;
  /** Default: `/run/docker/plugins`. */
  readonly directory?: string | undefined;
  /** Default: `bulkhead-`. */
  readonly prefix?: string | undefined;
  /** Default: whoever runs this. */
  readonly owner?: SocketOwner | undefined;
  /** Every request is answered by then, in milliseconds. Default: 10,000. */
  readonly answerMs?: number | undefined;
}

interface Served {
  readonly server: FastifyInstance;
  readonly socket: PlacedSocket;
  readonly collecting: NodeJS.Timeout;
}

export class DockerGateway {
  readonly #options: GatewayOptions;
  readonly #directory: string;
  readonly #prefix: string;
  readonly #served = new Map<string, Served>();
  /** Types that are registered. */
  readonly #wanted = new Set<string>();
  /** Sockets come and go one after the other. */
  #turn: Promise<void> = Promise.resolve();
  #closed = false;

  private constructor(options: GatewayOptions) {
    this.#options = options;
    this.#directory = options.directory ?? DOCKER_DIR;
    this.#prefix = options.prefix ?? DOCKER_PREFIX;
  }

  /** Clears what a crashed run left and serves every driver that is registered, now and later. Throws `ERR_DOCKER_SOCKET`. */
  static async open(options: GatewayOptions): Promise<DockerGateway> {
    const gateway = new DockerGateway(options);
    try {
      mkdirSync(gateway.#directory, { recursive: true, mode: 0o755 });
      const cleared = await clearStale(gateway.#directory, gateway.#prefix);
      if (cleared.length > 0)
        options.logger.warn({ sockets: cleared }, "docker: sockets of a run that crashed are removed");
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new DriverError("ERR_DOCKER_SOCKET", `${gateway.#directory}: ${why}`);
    }
    const { host } = options;
    host.on("driver:registered", gateway.#registered);
    host.on("driver:unregistered", gateway.#unregistered);
    for (const type of host.plugins().flatMap(({ drivers }) => drivers)) gateway.#registered({ type });
    await gateway.#turn;
    return gateway;
  }

  /** The sockets in place, by network type. */
  get sockets(): ReadonlyMap<string, string> {
    return new Map([...this.#served].map(([type, { socket }]) => [type, socket.path]));
  }

  /** Resolves when the sockets are in place for what is registered now. */
  settled(): Promise<void> {
    return this.#turn;
  }

  /** Requests under way are answered, then the sockets are gone. Twice is harmless. */
  async close(): Promise<void> {
    this.#closed = true;
    const { host } = this.#options;
    host.off("driver:registered", this.#registered);
    host.off("driver:unregistered", this.#unregistered);
    await this.#next(async () => {
      await Promise.all([...this.#served.keys()].map((type) => this.#withdraw(type)));
    });
  }

  readonly #registered = ({ type }: Pick<DriverEvent, "type">): void => {
    this.#wanted.add(type);
    void this.#next(() => this.#serve(type));
  };

  readonly #unregistered = ({ type }: DriverEvent): void => {
    this.#wanted.delete(type);
    void this.#next(() => this.#withdraw(type));
  };

  #next(work: () => Promise<void>): Promise<void> {
    this.#turn = this.#turn.then(work).catch((error: unknown) => {
      const known = error instanceof Error ? error.message : String(error);
      this.#options.logger.error({ err: error }, `docker: ${known}`);
    });
    return this.#turn;
  }

  async #serve(type: string): Promise<void> {
    if (this.#closed || this.#served.has(type) || !this.#wanted.has(type)) return;
    const { owner, logger, answerMs = DOCKER.answerMs } = this.#options;
    const path = socketPath(this.#directory, this.#prefix, type);
    const server = createServer({
      serving: () => this.#serving(type),
      answerMs,
      failed: (error) => logger.error({ driver: type, err: error }, "docker: a request failed in the gateway"),
    });
    let socket: PlacedSocket;
    try {
      socket = await placeSocket(this.#directory, path, owner, (made) => server.listen({ path: made }));
    } catch (error) {
      await server.close();
      throw error;
    }
    const collector = new Collector();
    const collect = (): void => void this.#collect(type, collector, answerMs);
    this.#served.set(type, { server, socket, collecting: setInterval(collect, DOCKER.collectMs).unref() });
    logger.info({ driver: type, socket: path }, `docker: driver "${type}" is served`);
    collect();
  }

  #serving(type: string): Serving {
    const view = this.#view(type);
    return { calls: new DriverCalls(this.#options.host.driver(type), view), scope: view.scope };
  }

  #view(type: string): TypeView {
    const view = viewOf(this.#options.host, type);
    if (!view) throw new Error("the host is not one of ours");
    return view;
  }

  async #collect(type: string, collector: Collector, answerMs: number): Promise<void> {
    const { logger } = this.#options;
    try {
      const signal = AbortSignal.timeout(answerMs);
      const dropped = await collector.collect(this.#serving(type).calls, this.#view(type), { signal });
      if (dropped.length > 0)
        logger.warn(
          { driver: type, endpoints: dropped },
          "docker: endpoints that the engine has forgotten are deleted",
        );
    } catch (error) {
      logger.warn(
        { driver: type, err: error },
        "docker: endpoints that the engine has forgotten could not be deleted yet",
      );
    }
  }

  async #withdraw(type: string): Promise<void> {
    const served = this.#served.get(type);
    if (!served) return;
    this.#served.delete(type);
    clearInterval(served.collecting);
    // First out of the engine's sight; then whoever is connected is answered and let go.
    served.socket.remove();
    await served.server.close();
    this.#options.logger.info({ driver: type }, `docker: driver "${type}" is no longer served`);
  }
}
