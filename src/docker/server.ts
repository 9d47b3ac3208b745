/** The HTTP server of one network type: fastify over a Unix socket, one route per method of the protocol. */
import { type FastifyInstance, fastify } from "fastify";
import { DriverError } from "../driverapi/errors.js";
import { DOCKER } from "../protocol/limits.js";
import { METHODS, type Serving } from "./methods.js";
import { type Answer, answerRequest, refusalAnswer } from "./request.js";

const CONTENT_TYPE = "application/vnd.docker.plugins.v1.2+json";

export interface ServerOptions {
  /** The driver that serves at the moment. Throws `DriverError`. */
  serving(): Serving;
  readonly answerMs: number;
  /** Told of faults that are nobody's but ours. */
  failed(error: unknown): void;
}

/** Not listening yet. */
export function createServer({ serving, answerMs, failed }: ServerOptions): FastifyInstance {
  // An engine keeps idle connections: a server that closes them races its next request.
  const server = fastify({ bodyLimit: DOCKER.bodyBytes, keepAliveTimeout: 0, exposeHeadRoutes: false });
  server.removeAllContentTypeParsers();
  // The engine sends JSON and does not say so.
  server.addContentTypeParser("*", { parseAs: "string" }, (_request, body, done) => done(null, body));
  let underWay = 0;
  for (const method of METHODS) {
    server.post(method.path, async (request, reply) => {
      const body = typeof request.body === "string" ? request.body : "";
      let answer: Answer;
      if (underWay >= DOCKER.requests) answer = refusalAnswer(busy());
      else {
        underWay++;
        answer = await answerRequest(method, body, serving, answerMs, failed);
        underWay--;
      }
      return reply.code(answer.status).header("content-type", CONTENT_TYPE).send(answer.text);
    });
  }
  server.setNotFoundHandler((request, reply) =>
    reply
      .code(404)
      .header("content-type", CONTENT_TYPE)
      .send(JSON.stringify({ Err: `${request.method} ${request.url.slice(0, 200)} is not of the protocol` })),
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
  return server;
}

function busy(): DriverError {
  return new DriverError("ERR_DOCKER_BUSY", `more than ${DOCKER.requests} requests are under way; try again`);
}
