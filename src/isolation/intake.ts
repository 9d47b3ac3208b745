/** What the platform reads from one host process, over all its streams: per second, and per turn of the event loop. */
import type { Socket } from "node:net";
import { Flow } from "./flow.js";
import { WALLS } from "./limits.js";

export class Intake {
  readonly #flow = new Flow();
  #since = 0;
  readonly #streams = new Set<StreamIntake>();
  readonly #paused = new Set<StreamIntake>();
  #frames = 0;
  #bytes = 0;

  /** Adds one of the process's streams. `flooded`: called when the process sends too much, most of it on this stream. */
  stream(socket: Socket, flooded: (why: string) => void): StreamIntake {
    const stream = new StreamIntake(this, socket, flooded);
    this.#streams.add(stream);
    return stream;
  }

  /** Counts one frame. */
  frame(): void {
    this.#frames++;
  }

  /** Counts one control message. Returns a reason when there were too many. */
  control(): string | undefined {
    return this.#flow.spend("controls", 1);
  }

  /** Counts bytes read from `stream`, and pauses it if the event loop must turn to other work first. */
  read(stream: StreamIntake, bytes: number): void {
    // Its last frame may have ended its worker.
    if (!this.#streams.has(stream)) return;
    this.#bytes += bytes;
    const now = performance.now();
    if (now - this.#since >= 1000) {
      this.#since = now;
      for (const one of this.#streams) one.bytes = 0;
    }
    stream.bytes += bytes;
    const why = this.#flow.spend("bytes", bytes);
    if (why !== undefined) this.#flooded(stream, why);
    if (!this.#streams.has(stream)) return;
    if (this.#bytes <= WALLS.bytesPerTick && this.#frames <= WALLS.framesPerTick) return;
    stream.socket.pause();
    if (this.#paused.size === 0) setImmediate(() => this.#resume());
    this.#paused.add(stream);
  }

  /** Removes a stream, which stays as it is: flowing or paused. */
  delete(stream: StreamIntake): void {
    this.#streams.delete(stream);
    this.#paused.delete(stream);
  }

  /** Blames the stream with the most bytes of this second; the others begin a new count. */
  #flooded(last: StreamIntake, why: string): void {
    let most = last;
    for (const one of this.#streams) if (one.bytes > most.bytes) most = one;
    this.delete(most);
    this.#flow.restart("bytes");
    this.#since = performance.now();
    for (const one of this.#streams) one.bytes = 0;
    most.flooded(why);
  }

  #resume(): void {
    this.#bytes = 0;
    this.#frames = 0;
    const paused = [...this.#paused];
    this.#paused.clear();
    for (const { socket } of paused) socket.resume();
  }
}

/** One stream's account. */
export class StreamIntake {
  readonly socket: Socket;
  readonly flooded: (why: string) => void;
  /** Bytes read in this second. */
  bytes = 0;
  readonly #intake: Intake;

  constructor(intake: Intake, socket: Socket, flooded: (why: string) => void) {
    this.#intake = intake;
    this.socket = socket;
    this.flooded = flooded;
  }

  /** Counts one frame. */
  frame(): void {
    this.#intake.frame();
  }

  /** Counts bytes read, and pauses the stream if the event loop must turn to other work first. */
  read(bytes: number): void {
    this.#intake.read(this, bytes);
  }

  /** Counts nothing more, and resumes the stream no more. */
  stop(): void {
    this.#intake.delete(this);
  }
}
