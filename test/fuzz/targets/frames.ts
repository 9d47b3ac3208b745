/** The frame codec: a frame's text to messages. `ProtocolViolation` is its documented throw, and the only one allowed. */
import { decodeUp, ProtocolViolation, routeHeader } from "#dist/protocol/frame.js";
import { LIMITS } from "#dist/protocol/limits.js";
import { readUpMessage } from "#dist/protocol/read-up.js";
import { distinct, recorded } from "../corpus.js";
import { frame } from "../generators/frames.js";
import { must, type Outcome, type Target } from "../target.js";

const HEADER = routeHeader(1);
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  hello: ["kind", "protocol", "runtime", "thread"],
  started: ["kind"],
  failed: ["kind", "stage", "error"],
  reply: ["kind", "message"],
  request: ["kind", "message"],
  notice: ["kind", "name", "args"],
  dropped: ["kind", "id"],
  crashed: ["kind", "origin", "error"],
};

function run(input: unknown): Outcome {
  let messages: readonly unknown[];
  try {
    const decoded = decodeUp(HEADER, input);
    must(Number.isSafeInteger(decoded.ack) && decoded.ack >= 0, "an acknowledgement that is not a count");
    must(decoded.messages.length < LIMITS.frameMessages, "more messages than a frame may hold");
    messages = decoded.messages;
  } catch (error) {
    if (error instanceof ProtocolViolation) return { reach: "unread" };
    throw error;
  }
  try {
    for (const message of messages) {
      const read = readUpMessage(message);
      must(Object.getPrototypeOf(read) === Object.prototype, "a message that was not newly built");
      must(Object.keys(read).join() === FIELDS[read.kind]?.join(), `the fields ${Object.keys(read)} of a ${read.kind}`);
    }
  } catch (error) {
    if (error instanceof ProtocolViolation) return { reach: "refused" };
    throw error;
  }
  return { reach: "accepted" };
}

export const frames: Target = {
  name: "frame codec",
  corpus: distinct(recorded().flatMap((conversation) => conversation.frames)),
  most: LIMITS.frameChars + 16,
  files: [{ file: "protocol/frame.js", functions: ["decodeUp"] }, { file: "protocol/read-up.js" }],
  generated: frame,
  run,
};
