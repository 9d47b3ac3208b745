/** The HTTP server of one network type: fastify over a Unix socket, one route per method of the protocol. */
import { type FastifyInstance, fastify } from "fastify";
import { DriverError } from "../driverapi/errors.js";
import { Connections } from "./connections.js";
import { IDENTITY_PATH, identity } from "./identity.js";
import { DOCKER } from "./limits.js";
import { METHODS, type Serving } from "./methods.js";
import { type Answer, answerRequest, refusalAnswer } from "./request.js";
import { RequestSignals } from "./request-signals.js";

const CONTENT_TYPE = "application/vnd.docker.plugins.v1.2+json";

export interface ServerOptions {
  /** Returns the driver in service. Throws `DriverError`. */
  serving(): Serving;
  readonly answerMs: number;
  /** Called with faults of the gateway itself. */
  failed(error: unknown): void;
  /** Called after every reply, with its milliseconds. */
  answered?(path: string, answer: Answer, ms: number): void;
}

export interface PluginServer {
  /** Listens on a socket at `path`, or on a port (in benchmarks). Resolves with its address. */
  listen(at: { readonly path: string } | { readonly host: string; readonly port: number }): Promise<string>;
  /** Replies to pending requests within a bounded time, and closes all connections. Idempotent. */
  close(): Promise<void>;
}

/** Creates a server that does not listen yet. */
export function createServer(options: ServerOptions): PluginServer {
  const signals = new RequestSignals();
  const server = fastify({
    bodyLimit: DOCKER.bodyBytes,
    // Closing an idle connection would race the engine's next request on it.
    keepAliveTimeout: 0,
    exposeHeadRoutes: false,
    forceCloseConnections: false,
    requestTimeout: DOCKER.bodyMs,
    http: { headersTimeout: DOCKER.headerMs, connectionsCheckingInterval: DOCKER.connectionCheckMs },
  });
  const connections = new Connections(server.server);
  addRoutes(server, connections, options, signals);
  let closing: Promise<void> | undefined;
  return {
    listen: (at) => server.listen(at),
    close() {
      closing ??= close(server, connections, signals);
      return closing;
    },
  };
}

async function close(server: FastifyInstance, connections: Connections, signals: RequestSignals): Promise<void> {
  const late = setTimeout(() => signals.stop(), DOCKER.closeMs);
  const cut = setTimeout(() => connections.cut(), DOCKER.closeMs + DOCKER.closeGraceMs);
  try {
    const closed = server.close();
    connections.close();
    await closed;
  } finally {
    clearTimeout(late);
    clearTimeout(cut);
  }
}

function addRoutes(
  server: FastifyInstance,
  connections: Connections,
  { serving, answerMs, failed, answered }: ServerOptions,
  signals: RequestSignals,
): void {
  server.removeAllContentTypeParsers();
  // The engine sends JSON without its content type.
  server.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
  let pending = 0;
  for (const method of METHODS) {
    server.post(method.path, async (request, reply) => {
      const began = performance.now();
      const { socket } = request.raw;
      connections.began(socket);
      reply.raw.once("close", () => connections.ended(socket));
      let answer: Answer;
      if (pending >= DOCKER.requests) answer = refusalAnswer(busy());
      else {
        pending++;
        const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
        answer = await answerRequest(method, body, serving, { answerMs, signals, failed });
        pending--;
      }
      answered?.(method.path, answer, performance.now() - began);
      return reply.code(answer.status).header("content-type", CONTENT_TYPE).send(answer.text);
    });
  }
  server.post(IDENTITY_PATH, (_, reply) => reply.send(identity()));
  server.setNotFoundHandler((request, reply) =>
    reply
      .code(404)
      .header("content-type", CONTENT_TYPE)
      .send(JSON.stringify({ Err: `${request.method} ${request.url.slice(0, 200)} is not part of the protocol` })),
  );
  server.setErrorHandler((error: { readonly statusCode?: number; readonly message?: string }, _request, reply) => {
    const status = error.statusCode ?? 500;
    if (status >= 500) failed(error);
    const words = status >= 500 ? "the gateway failed; see its log" : (error.message ?? "a wrong request");
    return reply
      .code(status)
      .header("content-type", CONTENT_TYPE)
      .send(JSON.stringify({ Err: words }));
  });
}

function busy(): DriverError {
  return new DriverError("ERR_DOCKER_BUSY", `more than ${DOCKER.requests} requests are pending; try again`);
}
