/** What the daemon's HTTP servers on TCP have in common: any account of the machine can connect, and must not hold more than it is worth. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Logger } from "./logger.js";
import type { TcpAddress } from "./tcp-address.js";

export interface TcpServerLimits {
  /** Concurrent connections; further ones are closed. */
  readonly connections: number;
  /** Deadlines for a request's header, and for the whole request, to arrive, in milliseconds. */
  readonly headerMs: number;
  readonly requestMs: number;
  /** A connection on which nothing moves for so many milliseconds is closed. */
  readonly idleMs: number;
}

/** Creates a server that does not listen yet. It reads no bodies. */
export function createTcpServer(
  { connections, headerMs, requestMs, idleMs }: TcpServerLimits,
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Server {
  const answering = new WeakSet<Socket>();
  const server = createServer(
    { headersTimeout: headerMs, requestTimeout: requestMs, connectionsCheckingInterval: headerMs },
    (request, response) => {
      const { socket } = request;
      if (socket.destroyed) return;
      // Each pipelined request would hold memory until the ones before it are answered; browsers and Prometheus send none.
      if (answering.has(socket)) {
        socket.destroy();
        return;
      }
      answering.add(socket);
      response.once("close", () => answering.delete(socket));
      request.resume();
      answer(request, response);
    },
  );
  server.maxConnections = connections;
  server.timeout = idleMs;
  // Browsers open connections in advance. One that is closed silently is reopened; a 408 would be taken for a reply.
  server.on("clientError", (_, socket) => socket.destroy());
  return server;
}

/** Starts to listen, and resolves with the port. Later faults, such as a lack of descriptors, are logged. */
export function listenTcp(server: Server, { host, port }: TcpAddress, what: string, logger: Logger): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      server.on("error", (error) => logger.error({ err: error }, `${what}: a connection failed: ${error.message}`));
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : port);
    });
  });
}

/** Closes the server and its connections. */
export function closeTcp(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
