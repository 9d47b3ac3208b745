/** What the platform reads from one host process, over all its streams: per second, and per turn of the event loop. */
import type { Socket } from "node:net";
import { Flow } from "./flow.js";
import { WALLS } from "./limits.js";

export class Intake {
  readonly #flow = new Flow();
  readonly #flooded: (why: string) => void;
  readonly #paused: Socket[] = [];
  #frames = 0;
  #bytes = 0;

  /** `flooded`: called when the process sends more than it may. */
  constructor(flooded: (why: string) => void) {
    this.#flooded = flooded;
  }

  /** Counts one frame. */
  frame(): void {
    this.#frames++;
  }

  /** Counts one control message. */
  control(): void {
    this.#spend("controls", 1);
  }

  /** Counts bytes read from `socket`, and pauses it if the event loop must turn to other work first. */
  read(socket: Socket, bytes: number): void {
    this.#bytes += bytes;
    this.#spend("bytes", bytes);
    if (this.#bytes <= WALLS.bytesPerTick && this.#frames <= WALLS.framesPerTick) return;
    socket.pause();
    if (this.#paused.push(socket) === 1) setImmediate(() => this.#resume());
  }

  #resume(): void {
    this.#bytes = 0;
    this.#frames = 0;
    for (const socket of this.#paused.splice(0)) socket.resume();
  }

  #spend(what: Parameters<Flow["spend"]>[0], amount: number): void {
    const why = this.#flow.spend(what, amount);
    if (why !== undefined) this.#flooded(why);
  }
}
