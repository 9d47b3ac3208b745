/**
 * The connections of one server. An engine keeps idle ones for as long as it likes; none of them, nor one whose request has not
 * arrived whole, may hold up the server's end.
 */
import type { Server } from "node:http";
import type { Socket } from "node:net";
import { DOCKER } from "./limits.js";

export class Connections {
  /** Open, longest unused first; with the requests that are being answered on it. */
  readonly #open = new Map<Socket, number>();
  #closing = false;

  constructor(server: Server) {
    server.on("connection", (socket) => this.#opened(socket));
  }

  /** A request has arrived whole on this connection. */
  began(socket: Socket): void {
    this.#use(socket, 1);
  }

  /** Its answer has been sent, or cannot be. */
  ended(socket: Socket): void {
    this.#use(socket, -1);
    if (this.#closing && this.#open.get(socket) === 0) socket.destroy();
  }

  /** The server takes no further ones: ends those on which nothing is being answered, and the others with their answers. */
  close(): void {
    this.#closing = true;
    for (const [socket, answering] of this.#open) if (answering === 0) socket.destroy();
  }

  /** Ends all of them. */
  cut(): void {
    for (const socket of this.#open.keys()) socket.destroy();
  }

  #opened(socket: Socket): void {
    if (this.#closing || (this.#open.size >= DOCKER.connections && !this.#makeRoom())) {
      socket.destroy();
      return;
    }
    this.#open.set(socket, 0);
    socket.once("close", () => this.#open.delete(socket));
  }

  /** Ends the connection that has been idle longest; false where all are at work. */
  #makeRoom(): boolean {
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
