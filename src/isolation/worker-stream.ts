/** The platform's end of one worker's own stream in a host process: frames both ways, encrypted where the worker has neighbours. */
import { createCipheriv } from "node:crypto";
import type { Socket } from "node:net";
import { FrameReader, frameBytes } from "./host-frames.js";
import type { Intake, StreamIntake } from "./intake.js";
import { WALLS } from "./limits.js";
import { type Seal, streamSeal } from "./stream-seal.js";

export interface WorkerStreamOptions {
  readonly socket: Socket;
  /** The routing header of every frame on it. */
  readonly header: string;
  /** Absent where the worker has no neighbours: then only it and its process's main thread can write here. */
  readonly key: Uint8Array | undefined;
  readonly intake: Intake;
  frame(text: string): void;
  /** Called when the worker has sent more than it may. */
  flooded(why: string): void;
  /** Called when what arrives is not the worker's, or when the stream has ended before the worker. */
  violation(why: string): void;
}

const AS_IT_IS: Seal = (bytes) => bytes;

export class WorkerStream {
  readonly #socket: Socket;
  readonly #intake: StreamIntake;
  readonly #reader: FrameReader;
  readonly #seal: Seal;
  /** Called once the worker's last frame has been read. */
  #whenEnded: (() => void) | undefined;
  #ended = false;
  #over = false;

  constructor({ socket, header, key, intake, frame, flooded, violation }: WorkerStreamOptions) {
    this.#socket = socket;
    this.#intake = intake.stream(socket, flooded);
    this.#seal = key === undefined ? AS_IT_IS : streamSeal(key, "down", createCipheriv);
    const open = key === undefined ? AS_IT_IS : streamSeal(key, "up", createCipheriv);
    this.#reader = new FrameReader(
      WALLS.frameBytes,
      {
        frame: (_, text) => {
          this.#intake.frame();
          frame(text);
        },
        violation: (why) =>
          violation(`a worker's stream is corrupt: ${why}; something other than that worker wrote to it`),
      },
      header,
    );
    socket.on("data", (chunk: Buffer) => {
      if (this.#over) return;
      this.#reader.push(open(chunk));
      this.#intake.read(chunk.length);
    });
    // A stream that no worker had yet was paused.
    socket.resume();
    socket.once("close", () => {
      this.#ended = true;
      this.#whenEnded?.();
      // A worker that ends closes its stream first, and is reported right after it.
      setTimeout(() => {
        if (!this.#over) violation("it closed a worker's stream");
      }, WALLS.closedMs).unref();
    });
  }

  /** Bytes that the worker has not taken yet. */
  get unread(): number {
    return this.#socket.writableLength;
  }

  send(frame: string): void {
    if (!this.#over) this.#socket.write(this.#seal(frameBytes(frame)));
  }

  /** Calls `done` once the frames that the ended worker has left behind are read, at the latest after `WALLS.closedMs`. */
  drain(done: () => void): void {
    if (this.#ended) {
      done();
      return;
    }
    const late = setTimeout(() => this.#whenEnded?.(), WALLS.closedMs).unref();
    this.#whenEnded = () => {
      this.#whenEnded = undefined;
      clearTimeout(late);
      done();
    };
  }

  /**
   * Stops reading and sending. The stream stays open until `close()`: to a worker that is not yet terminated, a closed stream
   * would look like a neighbour's attack.
   */
  stop(): void {
    if (this.#over) return;
    this.#over = true;
    this.#intake.stop();
    this.#reader.stop();
    this.#socket.pause();
    const ended = this.#whenEnded;
    this.#whenEnded = undefined;
    ended?.();
  }

  /** Closes it: the worker's thread has exited. */
  close(): void {
    this.stop();
    this.#socket.destroy();
  }
}
