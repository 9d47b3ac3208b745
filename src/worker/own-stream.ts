/**
 * A worker's own stream in a host process: frames over a descriptor that the process was started with. Only the perimeter of the
 * realm has it; encrypted where the worker has neighbours (isolation/stream-seal.ts).
 */
import type { createCipheriv } from "node:crypto";
import type { Socket as NetSocket } from "node:net";
import { FrameReader, frameBytes } from "../isolation/host-frames.js";
import { type Seal, streamSeal } from "../isolation/stream-seal.js";
import type { StreamGrant } from "../isolation/worker-streams.js";
import { LIMITS } from "../protocol/limits.js";
import { WORKER } from "./limits.js";

export interface OwnStreamOptions {
  /** The routing header of every frame on it. */
  readonly header: string;
  frame(text: string): void;
  /** Called when something else has read, written or closed the stream. */
  broken(): void;
}

/** Loads the parts of Node that a stream needs. Not called in a thread of the platform's own process, which has no stream. */
export function loadStreams(): { readonly Socket: typeof NetSocket; readonly create: typeof createCipheriv } {
  const { Socket } = process.getBuiltinModule("node:net");
  return { Socket, create: process.getBuiltinModule("node:crypto").createCipheriv };
}

const AS_IT_IS: Seal = (bytes) => bytes;

export class OwnStream {
  readonly #socket: NetSocket;
  readonly #seal: Seal;
  readonly #broken: () => void;
  #frames = 0;
  #bytes = 0;

  constructor({ descriptor, key }: StreamGrant, { header, frame, broken }: OwnStreamOptions) {
    const { Socket, create } = loadStreams();
    this.#seal = key === undefined ? AS_IT_IS : streamSeal(key, "up", create);
    const open = key === undefined ? AS_IT_IS : streamSeal(key, "down", create);
    key?.fill(0);
    const reader = new FrameReader(
      LIMITS.downFrameBytes,
      {
        frame: (_, text) => {
          this.#frames++;
          frame(text);
        },
        violation: broken,
      },
      header,
    );
    this.#broken = broken;
    const socket = new Socket({ fd: descriptor, readable: true, writable: true });
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => {
      this.#bytes += chunk.length;
      reader.push(open(chunk));
    });
    socket.on("error", broken);
    socket.on("close", broken);
  }

  send(frame: string): void {
    this.#socket.write(this.#seal(frameBytes(frame)));
  }

  /**
   * Checks that as many frames have arrived as the platform has written. What is still unread arrives within one whole turn of the
   * loop; if nothing does, something else has read it.
   */
  expect(frames: number): void {
    const bytes = this.#bytes;
    setImmediate(() =>
      setImmediate(() => {
        if (this.#frames < frames && this.#bytes === bytes) this.#broken();
      }),
    );
  }

  /**
   * Calls `done` after `WORKER.lastWordsMs`, unless the platform has read the last frame and terminated the worker by then. A
   * descriptor that is closed earlier can lose that frame.
   */
  last(done: () => void): void {
    if (this.#socket.writableLength === 0) {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, WORKER.lastWordsMs);
      done();
    } else {
      setTimeout(done, WORKER.lastWordsMs);
    }
  }
}
