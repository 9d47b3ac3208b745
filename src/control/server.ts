/** The HTTP server of a control socket: fastify, a route per operation. Nothing that a client sends reaches the host unchecked. */
import type { Socket } from "node:net";
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from "fastify";
import { escapeLine } from "../common/escape.js";
import { messageOf } from "../common/text.js";
import { IDENTITY_PATH, identity } from "../docker/identity.js";
import { DriverError } from "../driverapi/errors.js";
import { CONTROL } from "./limits.js";
import {
  type Bodies,
  EVENTS_PATH,
  type Input,
  METRICS_PATH,
  OPENAPI_PATH,
  OPERATIONS,
  type Operation,
  type OperationName,
  type Replies,
  TABLE_PATH,
  VIA_HEADER,
} from "./operations.js";
import { errorBodyOf, RequestError, read } from "./request-error.js";
import { BODIES, type EventsQuery, eventsQuery, idParams, tableQuery } from "./request-schemas.js";
import { pluginTable } from "./table/plugins.js";

/** A reply, with its status if that is not 200; or `json`, the body as JSON text. */
export type Answer<N extends OperationName> =
  | { readonly status?: number; readonly body: Replies[N] }
  | { readonly json: string };

export interface ControlServerOptions {
  /** Carries out an operation whose input has been checked. */
  perform<N extends OperationName>(name: N, input: Input): Promise<Answer<N>>;
  /** Serves the events on a response whose head has been sent. Throws `ERR_CONTROL_BUSY` before anything is sent. */
  follow(query: EventsQuery, socket: Socket, start: () => FastifyReply["raw"]): void;
  openApi(): object;
  plugins(): Replies["plugins"];
  /** Resolves with the metrics in Prometheus' text format. */
  metrics(): Promise<string>;
  /** Called with faults of the server itself. */
  failed(error: unknown): void;
}

/** Creates a server that does not listen yet. */
export function createControlServer(options: ControlServerOptions): FastifyInstance {
  const server = fastify({
    bodyLimit: CONTROL.bodyBytes,
    keepAliveTimeout: CONTROL.idleMs,
    exposeHeadRoutes: false,
    forceCloseConnections: true,
    // Such as a path that does not decode.
    frameworkErrors: (error, _request, reply) => void refuse(error, reply, options.failed),
    requestTimeout: CONTROL.requestMs,
    routerOptions: { maxParamLength: 256 },
    http: { headersTimeout: CONTROL.headerMs, connectionsCheckingInterval: CONTROL.connectionCheckMs },
  });
  server.server.maxConnections = CONTROL.connections;
  server.removeAllContentTypeParsers();
  server.addContentTypeParser("*", { parseAs: "string" }, (_request, body, done) => done(null, body));
  const operations: Readonly<Record<string, Operation>> = OPERATIONS;
  for (const [key, { method, path }] of Object.entries(operations)) {
    const name = key as OperationName;
    server.route({
      method,
      url: path.replace("{id}", ":id"),
      handler: async (request, reply) => {
        const caller = { via: viaOf(request), gone: goneOf(request.raw.socket) };
        const answer = await options.perform(name, { ...inputOf(name, path, request), ...caller });
        if ("json" in answer) return reply.type("application/json; charset=utf-8").send(answer.json);
        return reply.code(answer.status ?? 200).send(answer.body);
      },
    });
  }
  server.get(EVENTS_PATH, (request, reply) => {
    const query = read(eventsQuery, request.query, "query");
    const last = request.headers["last-event-id"];
    const since = query.since ?? (typeof last === "string" ? last.slice(0, 64) : undefined);
    options.follow(since === undefined ? query : { ...query, since }, request.raw.socket, () => {
      reply.hijack();
      reply.raw.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
      // A client learns at once that it follows, not with the first event.
      reply.raw.flushHeaders();
      return reply.raw;
    });
  });
  server.get(OPENAPI_PATH, () => options.openApi());
  server.get(METRICS_PATH, async (_, reply) => {
    const text = await options.metrics();
    return reply.header("content-type", "text/plain; version=0.0.4; charset=utf-8").send(text);
  });
  server.get(TABLE_PATH, async (request, reply) => {
    const { colour } = read(tableQuery, request.query, "query");
    const { plugins } = options.plugins();
    return reply.type("text/plain; charset=utf-8").send(`${pluginTable(colour === "true", plugins)}\n`);
  });
  server.post(IDENTITY_PATH, (_, reply) => reply.send(identity()));
  server.setNotFoundHandler((request, reply) => {
    const asked = escapeLine(`${request.method} ${request.url}`, 200);
    const error = new RequestError(`${asked} is not part of the API; GET ${OPENAPI_PATH} lists what is`, "path");
    return reply.code(404).send(errorBodyOf(error));
  });
  server.setErrorHandler((error: unknown, _request, reply) => refuse(error, reply, options.failed));
  return server;
}

function inputOf(name: OperationName, path: string, request: FastifyRequest): Input {
  const id = path.includes("{id}") ? read(idParams, request.params, "path").id : undefined;
  if (!(name in BODIES)) return { id };
  let body: unknown;
  try {
    body = JSON.parse(typeof request.body === "string" ? request.body : "");
  } catch (error) {
    throw new RequestError(`body: it is not JSON: ${escapeLine(messageOf(error), 200)}`, "body");
  }
  if (isDeeper(body, CONTROL.bodyDepth))
    throw new RequestError(`body: it is nested more than ${CONTROL.bodyDepth} levels deep`, "body");
  return { id, body: read<Bodies[keyof Bodies]>(BODIES[name as keyof Bodies], body, "body") };
}

/** One per connection: its requests may be many, and all lose their client at once. */
const GONE = new WeakMap<Socket, AbortSignal>();

/** Returns a signal that is aborted when a connection has closed. */
function goneOf(socket: Socket): AbortSignal {
  const known = GONE.get(socket);
  if (known) return known;
  const gone = new AbortController();
  if (socket.destroyed) gone.abort();
  else socket.once("close", () => gone.abort());
  GONE.set(socket, gone.signal);
  return gone.signal;
}

/** Returns the name in the header, if it is a short plain one. */
function viaOf({ headers: { [VIA_HEADER]: via } }: FastifyRequest): string | undefined {
  return typeof via === "string" && /^[\w.:[\] -]{1,64}$/.test(via) ? via : undefined;
}

function isDeeper(value: unknown, levels: number): boolean {
  let level = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > levels) return true;
    level = level.flatMap((one) => (one !== null && typeof one === "object" ? Object.values(one) : []));
  }
  return false;
}

function refuse(error: unknown, reply: FastifyReply, failed: (error: unknown) => void): FastifyReply {
  if (error instanceof DriverError) return reply.code(error.status).send(errorBodyOf(error));
  const { statusCode: status = 500 } = error as { readonly statusCode?: number };
  if (status >= 500) {
    failed(error);
    const words = "the control socket failed; see the host's log";
    return reply.code(500).send(errorBodyOf(new DriverError("ERR_INTERNAL", words)));
  }
  const field = status === 413 ? "body" : undefined;
  return reply.code(status).send(errorBodyOf(new RequestError(escapeLine(messageOf(error), 200), field)));
}
