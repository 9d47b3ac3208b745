/** The streams that a host process was started with and no worker has yet: nothing may happen on them until one gets it. */
import type { Socket } from "node:net";
import { WALLS } from "./limits.js";

export interface WorkerSlot {
  /** Its place among the process's streams, from 0. */
  readonly slot: number;
  readonly socket: Socket;
}

interface Guarded extends WorkerSlot {
  unguard(): void;
}

export class WorkerSlots {
  readonly #broken: (why: string) => void;
  #unused: Guarded[] | undefined;
  readonly #expected: number;

  /**
   * `expected`: how many the process has, or will have. `broken`: called when something in the process has written to an unused
   * stream, or closed it.
   */
  constructor(expected: number, broken: (why: string) => void) {
    this.#expected = expected;
    this.#broken = broken;
  }

  /** Called with all of them when the process is started. */
  supply(sockets: readonly Socket[]): void {
    this.#unused = sockets.map((socket, slot) => ({ slot, socket, unguard: guard(socket, this.#broken) }));
  }

  /** How many are unused. */
  get left(): number {
    return this.#unused?.length ?? this.#expected;
  }

  /** Returns the next one, each once; undefined when all are used, and before the process is started. */
  take(): WorkerSlot | undefined {
    const next = this.#unused?.shift();
    next?.unguard();
    return next;
  }
}

/** Watches an unused stream. Returns a function that stops it, and keeps for the next reader what arrives. */
function guard(socket: Socket, broken: (why: string) => void): () => void {
  const written = (): void => broken("something in it has written to a stream that no worker has");
  // A process that ends closes all of them.
  const closed = (): void => void setTimeout(() => broken("it closed a worker's stream"), WALLS.closedMs).unref();
  socket.on("data", written);
  socket.once("close", closed);
  return () => {
    socket.off("data", written);
    socket.off("close", closed);
    socket.pause();
  };
}
