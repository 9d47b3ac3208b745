/** The platform's end of a host process's own stream, for control messages: encrypts and frames them, limits what arrives. */
import { createCipheriv, randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import { type ControlDown, type ControlUp, readControlUp } from "./control.js";
import { CONTROL_HEADER, FrameReader, frameBytes } from "./host-frames.js";
import type { Intake, StreamIntake } from "./intake.js";
import { WALLS } from "./limits.js";
import { KEY_BYTES, type Seal, streamSeal } from "./stream-seal.js";

export interface HostStreamSink {
  control(message: ControlUp): void;
  /** Called when the host process breaks the protocol, floods the platform, or stops reading or sending. */
  violation(why: string): void;
}

export class HostStream {
  readonly #socket: Socket;
  readonly #sink: HostStreamSink;
  readonly #intake: Intake;
  readonly #own: StreamIntake;
  readonly #reader: FrameReader;
  readonly #seal: Seal;
  readonly #open: Seal;

  constructor(socket: Socket, intake: Intake, sink: HostStreamSink) {
    this.#socket = socket;
    this.#sink = sink;
    this.#intake = intake;
    this.#own = intake.stream(socket, (why) => sink.violation(why));
    const key = randomBytes(KEY_BYTES);
    this.#seal = streamSeal(key, "down", createCipheriv);
    this.#open = streamSeal(key, "up", createCipheriv);
    this.#reader = new FrameReader(
      WALLS.frameBytes,
      {
        frame: (header, text) => this.#frame(header, text),
        violation: (why) =>
          sink.violation(`its stream is corrupt: ${why}; something other than its main thread wrote to it`),
      },
      CONTROL_HEADER,
    );
    socket.write(key);
    socket.on("data", (chunk: Buffer) => {
      this.#reader.push(this.#open(chunk));
      this.#own.read(chunk.length);
    });
    // A process that ends closes its stream first; one that runs on without a stream is useless.
    socket.once("end", () => {
      setTimeout(() => sink.violation("it closed its stream"), WALLS.closedMs).unref();
    });
  }

  /** Bytes that the process has not taken yet. */
  get unread(): number {
    return this.#socket.writableLength;
  }

  control(message: ControlDown): void {
    this.#socket.write(this.#seal(frameBytes(`${CONTROL_HEADER}${JSON.stringify(message)}`)));
    if (this.unread > WALLS.unreadBytes) this.#sink.violation("it does not read what it is sent");
  }

  /** Stops reading. */
  stop(): void {
    this.#reader.stop();
  }

  #frame(header: string, text: string): void {
    this.#intake.frame();
    const flooded = this.#intake.control();
    if (flooded !== undefined) {
      this.#sink.violation(flooded);
      return;
    }
    const message = readControlUp(text.slice(header.length));
    if (message === undefined) this.#sink.violation("it broke the protocol: an invalid control message");
    else this.#sink.control(message);
  }
}
