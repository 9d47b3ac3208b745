/** The platform's end of a host process's stream: encrypts and frames what is sent, limits and cuts up what arrives. */
import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import { type ControlDown, type ControlUp, readControlUp } from "./control.js";
import { Flow } from "./flow.js";
import { CONTROL_HEADER, FrameReader, frameBytes } from "./host-frames.js";
import { WALLS } from "./limits.js";
import { KEY_BYTES, type Seal, streamSeal } from "./stream-seal.js";

export interface HostStreamSink {
  /** Receives a worker's frame. Returns false if that worker does not exist. */
  frame(header: string, text: string): boolean;
  control(message: ControlUp): void;
  /** Called when the host process breaks the protocol, floods the platform, or stops reading or sending. */
  violation(why: string): void;
}

export class HostStream {
  readonly #socket: Socket;
  readonly #sink: HostStreamSink;
  readonly #reader: FrameReader;
  readonly #seal: Seal;
  readonly #open: Seal;
  readonly #flow = new Flow();
  #frames = 0;
  #bytes = 0;
  #corked = false;

  constructor(socket: Socket, sink: HostStreamSink) {
    this.#socket = socket;
    this.#sink = sink;
    const key = randomBytes(KEY_BYTES);
    this.#seal = streamSeal(key, "down");
    this.#open = streamSeal(key, "up");
    this.#reader = new FrameReader(WALLS.frameBytes, {
      frame: (header, text) => this.#frame(header, text),
      violation: (why) =>
        sink.violation(`its stream is corrupt: ${why}; something other than its main thread wrote to it`),
    });
    socket.write(key);
    socket.on("data", (chunk: Buffer) => this.#read(chunk));
    // A process that ends closes its stream first; one that runs on without a stream is useless.
    socket.once("end", () => {
      setTimeout(() => sink.violation("it closed its stream"), WALLS.closedMs).unref();
    });
  }

  /** Sends a worker's frame. */
  send(frame: string): void {
    if (!this.#corked) {
      this.#corked = true;
      this.#socket.cork();
      process.nextTick(() => {
        this.#corked = false;
        this.#socket.uncork();
      });
    }
    this.#socket.write(this.#seal(frameBytes(frame)));
    if (this.#socket.writableLength > WALLS.unreadBytes) this.#sink.violation("it does not read what it is sent");
  }

  control(message: ControlDown): void {
    this.send(`${CONTROL_HEADER}${JSON.stringify(message)}`);
  }

  /** Stops reading. */
  stop(): void {
    this.#reader.stop();
  }

  #read(chunk: Buffer): void {
    this.#bytes += chunk.length;
    this.#reader.push(this.#open(chunk));
    this.#spend("bytes", chunk.length);
    if (this.#bytes > WALLS.bytesPerTick || this.#frames > WALLS.framesPerTick) this.#pause();
  }

  /** Lets the event loop turn to other work before more of this process's frames are read. */
  #pause(): void {
    this.#socket.pause();
    setImmediate(() => {
      this.#bytes = 0;
      this.#frames = 0;
      this.#socket.resume();
    });
  }

  #frame(header: string, text: string): void {
    this.#frames++;
    if (header === CONTROL_HEADER) {
      this.#spend("controls", 1);
      const message = readControlUp(text.slice(header.length));
      if (message === undefined) this.#sink.violation("it broke the protocol: an invalid control message");
      else this.#sink.control(message);
    } else if (!this.#sink.frame(header, text)) {
      // A worker that was just terminated may still have frames in flight.
      this.#spend("strays", 1);
    }
  }

  #spend(what: Parameters<Flow["spend"]>[0], amount: number): void {
    const why = this.#flow.spend(what, amount);
    if (why !== undefined) this.#sink.violation(why);
  }
}
