/**
 * The stream of a host process: bytes to frames, and its control messages. However the bytes are cut, the same frames come out;
 * whatever they are, nothing is thrown, and after a violation nothing follows.
 */
import { readControlUp } from "#dist/isolation/control.js";
import { CONTROL_HEADER, FrameReader, frameBytes } from "#dist/isolation/host-frames.js";
import { decodeUp, ProtocolViolation } from "#dist/protocol/frame.js";
import { CONTROL, distinct, recorded } from "../corpus.js";
import { streamBytes } from "../generators/frames.js";
import { changeBuffer, mutate } from "../mutate.js";
import type { Random } from "../random.js";
import { stopwatch } from "../stopwatch.js";
import { must, type Outcome, type Target } from "../target.js";

const FRAMES = [...CONTROL, ...distinct(recorded().flatMap(({ frames }) => frames))];
const STREAMS = FRAMES.map(frameBytes);
/** Bytes of one frame, here: less than in earnest, so that inputs go over it. */
const MOST = 65_536;

interface Read {
  readonly frames: readonly string[];
  readonly violation: string | undefined;
}

function read(chunks: Iterable<Buffer>): Read {
  const frames: string[] = [];
  let violation: string | undefined;
  const reader = new FrameReader(MOST, {
    frame(header, text) {
      must(violation === undefined, "a frame after a violation");
      must(text.startsWith(header), "a frame that does not begin with its header");
      frames.push(text);
    },
    violation(why) {
      must(violation === undefined, "a second violation");
      violation = why;
    },
  });
  for (const chunk of chunks) reader.push(chunk);
  return { frames, violation };
}

/** Pieces of 1 to 7 bytes at both ends, and a few in between. */
function* pieces(bytes: Buffer): Generator<Buffer> {
  for (let at = 0, size = 1; at < bytes.length; size = (size % 7) + 1) {
    const length = at > 64 && bytes.length - at > 64 ? Math.ceil(bytes.length / 9) : size;
    yield bytes.subarray(at, at + length);
    at += length;
  }
}

function run(input: unknown): Outcome {
  if (!Buffer.isBuffer(input)) throw new TypeError("the stream is bytes");
  const elapsed = stopwatch();
  const { frames, violation } = read([input]);
  let refused = violation !== undefined;
  for (const text of frames) {
    must(Buffer.byteLength(text) <= 3 * MOST, "a frame over the limit");
    refused = !taken(text) || refused;
  }
  const ms = elapsed();
  const cut = read(pieces(input));
  must(
    JSON.stringify(cut) === JSON.stringify({ frames, violation }),
    "the same bytes in pieces are read as something else",
  );
  if (frames.length === 0) return { reach: "unread", ms };
  return { reach: refused ? "refused" : "accepted", ms };
}

function taken(text: string): boolean {
  const header = text.slice(0, CONTROL_HEADER.length);
  if (header === CONTROL_HEADER) {
    const message = readControlUp(text.slice(header.length));
    must(message === undefined || JSON.stringify(message).length <= 2 * MOST, "a control message that is not bounded");
    return message !== undefined;
  }
  try {
    decodeUp(header, text);
    return true;
  } catch (error) {
    if (error instanceof ProtocolViolation) return false;
    throw error;
  }
}

/** Two times in three the frames' texts are mutated and framed again, else the bytes of the stream itself. */
function mutated(random: Random): Buffer {
  const texts = Array.from({ length: 1 + random.below(3) }, () => random.pick(random.oneIn(2) ? CONTROL : FRAMES));
  const whole = Buffer.concat(texts.map(frameBytes));
  if (random.oneIn(3)) return changeBuffer(whole, random, STREAMS, MOST);
  return Buffer.concat(texts.map((text) => frameBytes(mutate(text, random, FRAMES, MOST))));
}

export const stream: Target = {
  name: "host process stream",
  corpus: FRAMES,
  input: frameBytes,
  most: MOST,
  files: [{ file: "isolation/host-frames.js" }, { file: "isolation/control.js" }],
  generated: streamBytes,
  mutated,
  run,
};
