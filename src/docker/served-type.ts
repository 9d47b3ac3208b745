/** Serves one network type: its server, its socket, and the collection of forgotten endpoints. */

import type { Logger } from "../common/logger.js";
import type { PluginHost } from "../host/api.js";
import { viewOf } from "../host/plugin-host.js";
import type { TypeView } from "../host/type-view.js";
import { Collector } from "./collector.js";
import { DriverCalls, type DriverCallsOptions } from "./driver-calls.js";
import { DOCKER } from "./limits.js";
import type { Serving } from "./methods.js";
import type { Answer } from "./request.js";
import { createServer, type PluginServer } from "./server.js";
import { type PlacedSocket, placeSocket, type SocketOwner } from "./socket-file.js";

export interface ServedTypeOptions extends Omit<DriverCallsOptions, "driver" | "view"> {
  readonly type: string;
  readonly host: PluginHost;
  readonly logger: Logger;
  readonly directory: string;
  readonly path: string;
  readonly owner: SocketOwner | undefined;
  readonly answerMs: number;
}

export class ServedType {
  readonly #options: ServedTypeOptions;
  readonly #serving: () => Serving;
  readonly #server: PluginServer;
  readonly #socket: PlacedSocket;
  readonly #collecting: NodeJS.Timeout;

  private constructor(options: ServedTypeOptions, serving: () => Serving, server: PluginServer, socket: PlacedSocket) {
    this.#options = options;
    this.#serving = serving;
    this.#server = server;
    this.#socket = socket;
    const collector = new Collector();
    const collect = (): void => void this.#collect(collector);
    this.#collecting = setInterval(collect, DOCKER.collectMs).unref();
    collect();
  }

  /** Starts the server and puts its socket in place. Throws `ERR_DOCKER_SOCKET`; `SocketTaken` if another process serves it. */
  static async open(options: ServedTypeOptions): Promise<ServedType> {
    const { type, logger, directory, path, owner, answerMs } = options;
    const serving = servingOf(options);
    const server = createServer({
      serving,
      answerMs,
      failed: (error) => logger.error({ driver: type, err: error }, "docker: a request failed in the gateway"),
      answered: (method, answer, ms) => logAnswer(logger, type, method, answer, ms),
    });
    try {
      const socket = await placeSocket(directory, path, owner, (made) => server.listen({ path: made }));
      return new ServedType(options, serving, server, socket);
    } catch (error) {
      await server.close();
      throw error;
    }
  }

  get path(): string {
    return this.#socket.path;
  }

  /** Returns false once another program has removed or replaced its socket. */
  inPlace(): boolean {
    return this.#socket.inPlace();
  }

  /** Removes the socket at once; resolves when pending requests are answered and all connections are closed. */
  close(): Promise<void> {
    clearInterval(this.#collecting);
    this.#socket.remove();
    return this.#server.close();
  }

  async #collect(collector: Collector): Promise<void> {
    const { type, logger, answerMs } = this.#options;
    try {
      const signal = AbortSignal.timeout(answerMs);
      const { calls, view } = this.#serving();
      const dropped = await collector.collect(calls, view, { signal });
      if (dropped.length > 0)
        logger.warn({ driver: type, endpoints: dropped }, "docker: deleted endpoints that the engine had forgotten");
    } catch (error) {
      logger.warn(
        { driver: type, err: error },
        "docker: endpoints that the engine has forgotten could not be deleted yet",
      );
    }
  }
}

/** Returns the view of a type. Throws as `host.driver` does. */
export function typeView(host: PluginHost, type: string): TypeView {
  const view = viewOf(host, type);
  if (!view) throw new Error("the host was not made by createPluginHost");
  return view;
}

/** Returns a function that gives a registration its `Serving`, made once. The function throws as `host.driver` does. */
function servingOf(options: ServedTypeOptions): () => Serving {
  const { type, host } = options;
  let last: Serving | undefined;
  return () => {
    const view = typeView(host, type);
    if (last?.view !== view) last = { calls: new DriverCalls({ ...options, driver: host.driver(type), view }), view };
    return last;
  };
}

function logAnswer(logger: Logger, type: string, method: string, { status, text }: Answer, ms: number): void {
  const refused = text.startsWith('{"Err":') ? { refused: text } : {};
  logger.debug(
    { driver: type, method, status, ms: Math.round(ms * 10) / 10, ...refused },
    `docker: ${method} is answered`,
  );
}
