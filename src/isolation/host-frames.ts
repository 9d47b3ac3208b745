/**
 * Streams between the platform and a host process: frames (protocol/frame.ts), each preceded by its length in bytes. Each worker
 * has a stream of its own; route 0 is the host process itself, for control messages in JSON.
 */

/** Bytes of the length before each frame, little-endian. */
const LENGTH_BYTES = 4;
/** Digits of the routing header. */
const HEADER_CHARS = 8;
/** The routing header of control messages. */
export const CONTROL_HEADER = "00000000";

export interface FrameSink {
  /** Receives one whole frame; `header` is its routing header, eight arbitrary characters. */
  frame(header: string, text: string): void;
  /** Called when the other side breaks the protocol. Nothing follows. */
  violation(why: string): void;
}

/** Cuts a stream into frames. Checks a frame's length before it buffers any of its bytes. */
export class FrameReader {
  readonly #maxBytes: number;
  readonly #sink: FrameSink;
  readonly #own: string | undefined;
  #parts: Buffer[] = [];
  #have = 0;
  #need: number = LENGTH_BYTES;
  #over = false;

  /** `own`: the only routing header on this stream; any other is a violation as soon as it has arrived. */
  constructor(maxBytes: number, sink: FrameSink, own?: string) {
    this.#maxBytes = maxBytes;
    this.#sink = sink;
    this.#own = own;
  }

  push(chunk: Buffer): void {
    if (this.#over) return;
    this.#parts.push(chunk);
    this.#have += chunk.length;
    if (this.#have < this.#need) {
      this.#gather();
      return;
    }
    const [first] = this.#parts;
    const bytes = this.#parts.length === 1 && first !== undefined ? first : Buffer.concat(this.#parts, this.#have);
    this.#parts = [];
    let at = 0;
    this.#need = LENGTH_BYTES;
    while (bytes.length - at >= LENGTH_BYTES) {
      const length = bytes.readUInt32LE(at);
      if (length < HEADER_CHARS) {
        this.#end("a frame without a routing header");
        return;
      }
      if (length > this.#maxBytes) {
        this.#end(`a frame of ${length} bytes`);
        return;
      }
      const start = at + LENGTH_BYTES;
      const arrived = bytes.length - start;
      if (this.#own !== undefined && arrived >= HEADER_CHARS && !beginsWith(bytes, start, this.#own)) {
        this.#end("a frame with a routing header that is not its own");
        return;
      }
      if (arrived < length) {
        this.#need = LENGTH_BYTES + (arrived < HEADER_CHARS ? HEADER_CHARS : length);
        break;
      }
      at = start + length;
      const text = bytes.toString("utf8", start, at);
      this.#sink.frame(this.#own ?? text.slice(0, HEADER_CHARS), text);
      if (this.#over) return;
    }
    this.#have = bytes.length - at;
    if (this.#have > 0) this.#parts.push(at === 0 ? bytes : bytes.subarray(at));
  }

  /** Joins trailing parts of similar size: a frame sent in tiny pieces must not cost a hundred times its bytes. */
  #gather(): void {
    for (;;) {
      const [before, last] = this.#parts.slice(-2);
      if (before === undefined || last === undefined || before.length > last.length) return;
      this.#parts.splice(-2, 2, Buffer.concat([before, last]));
    }
  }

  /** Stops reading. */
  stop(): void {
    this.#over = true;
    this.#parts = [];
  }

  #end(why: string): void {
    this.stop();
    this.#sink.violation(why);
  }
}

function beginsWith(bytes: Buffer, start: number, header: string): boolean {
  return bytes.toString("latin1", start, start + HEADER_CHARS) === header;
}

/** Returns a frame as it is sent: its length, then its text. */
export function frameBytes(text: string): Buffer {
  const length = Buffer.byteLength(text, "utf8");
  const bytes = Buffer.allocUnsafe(LENGTH_BYTES + length);
  bytes.writeUInt32LE(length, 0);
  bytes.write(text, LENGTH_BYTES, length, "utf8");
  return bytes;
}
