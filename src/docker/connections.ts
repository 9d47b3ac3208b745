/**
 * The connections of one server. An engine keeps idle ones open; neither they nor incomplete requests may delay the server's
 * shutdown.
 */
import type { Server } from "node:http";
import type { Socket } from "node:net";
import { DOCKER } from "./limits.js";

export class Connections {
  /** Open connections, least recently used first, with the number of requests in progress on each. */
  readonly #open = new Map<Socket, number>();
  #closing = false;

  constructor(server: Server) {
    server.on("connection", (socket) => this.#opened(socket));
  }

  /** Called when a whole request has arrived on a connection. */
  began(socket: Socket): void {
    this.#use(socket, 1);
  }

  /** Called when its reply has been sent, or cannot be. */
  ended(socket: Socket): void {
    this.#use(socket, -1);
    if (this.#closing && this.#open.get(socket) === 0) socket.destroy();
  }

  /** Closes idle connections now, and the others after their replies. */
  close(): void {
    this.#closing = true;
    for (const [socket, answering] of this.#open) if (answering === 0) socket.destroy();
  }

  /** Closes all connections now. */
  cut(): void {
    for (const socket of this.#open.keys()) socket.destroy();
  }

  #opened(socket: Socket): void {
    if (this.#closing || (this.#open.size >= DOCKER.connections && !this.#evict())) {
      socket.destroy();
      return;
    }
    this.#open.set(socket, 0);
    socket.once("close", () => this.#open.delete(socket));
  }

  /** Evicts the connection that has been idle longest. Returns false if none is idle. */
  #evict(): boolean {
    for (const [socket, answering] of this.#open) {
      if (answering > 0) continue;
      this.#open.delete(socket);
      socket.destroy();
      return true;
    }
    return false;
  }

  #use(socket: Socket, change: 1 | -1): void {
    const answering = this.#open.get(socket);
    if (answering === undefined) return;
    this.#open.delete(socket);
    this.#open.set(socket, answering + change);
  }
}
