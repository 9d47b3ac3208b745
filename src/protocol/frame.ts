/**
 * Frames: what travels over a link. A frame is text: an eight-digit hexadecimal routing header (by which a host process
 * forwards frames without decoding them), then a JSON array. From worker to host, the array's first item is an
 * acknowledgement: the number of frames received so far.
 */
import type { Json } from "../driverapi/json.js";
import { LIMITS } from "./limits.js";
import type { CompactCall, DownMessage, RawValue, UpMessage } from "./messages.js";

/** Digits of the routing header. */
const ROUTE_DIGITS = 8;

/** A frame that no honest worker sends. */
export class ProtocolViolation extends Error {
  override readonly name: string = "ProtocolViolation";
}

/** Returns the routing header of link `route` (0 ≤ route < 2³²). */
export function routeHeader(route: number): string {
  return route.toString(16).padStart(ROUTE_DIGITS, "0");
}

/** Batches messages from host to worker into one frame. The text is joined once, from all of its pieces. */
export class DownFrames {
  readonly #begin: string;
  #pieces: string[];
  #count = 0;

  constructor(header: string) {
    this.#begin = `${header}[`;
    this.#pieces = [this.#begin];
  }

  /** Messages in the batch. */
  get count(): number {
    return this.#count;
  }

  /** Adds one message, given as JSON text. */
  message(text: string): void {
    if (this.#count++ > 0) this.#pieces.push(",");
    this.#pieces.push(text);
  }

  /**
   * Adds a call to the driver at this index. Its arguments are already JSON text: options are encoded once, for the
   * wire and the journal. `expires` is rounded down, so that a call past its deadline never starts.
   */
  call(id: number, expires: number, method: string, index: number, args: readonly string[]): void {
    this.message(`["${method}",${id},${Math.floor(expires)},${index}`);
    const pieces = this.#pieces;
    for (const arg of args) pieces.push(",", arg);
    pieces.push("]");
  }

  /** Returns the frame of all batched messages and starts an empty batch. */
  take(): string {
    this.#pieces.push("]");
    const text = this.#pieces.join("");
    this.#pieces = [this.#begin];
    this.#count = 0;
    return text;
  }
}

/** Reads a frame from the host, in the worker; a worker trusts its host. A compact call becomes comlink's message. */
export function decodeDown(text: string): readonly DownMessage[] {
  const items = JSON.parse(text.slice(ROUTE_DIGITS)) as (DownMessage | CompactCall)[];
  for (let at = 0; at < items.length; at++) {
    const item = items[at] as DownMessage | CompactCall;
    if (Array.isArray(item)) items[at] = expand(item as unknown as CompactCall);
  }
  return items as DownMessage[];
}

/** Indexed, not destructured: in a locked-down realm iteration costs several times as much. */
function expand(call: CompactCall): DownMessage {
  const argumentList: RawValue[] = [];
  for (let at = 3; at < call.length; at++) argumentList.push({ type: "RAW", value: call[at] as Json });
  return { kind: "call", expires: call[2], message: { id: call[1], type: "APPLY", path: [call[0]], argumentList } };
}

/** Encodes a frame from worker to host; `messages` are already JSON text. */
export function encodeUp(header: string, ack: number, messages: readonly string[]): string {
  return messages.length === 0 ? `${header}[${ack}]` : `${header}[${ack},${messages.join(",")}]`;
}

/** Encodes one message as JSON text; the reply to a call, if it is a value, as `[id, value]`. */
export function encodeMessage(message: DownMessage | UpMessage): string {
  if (message.kind === "reply" && message.message.type === "RAW")
    return `[${message.message.id},${JSON.stringify(message.message.value ?? null)}]`;
  return JSON.stringify(message);
}

/**
 * Reads a frame from a worker, which may be an attacker's: checks the type, then the length, the header, the JSON and
 * the count.
 * Returns the acknowledged count and the messages, unread. Throws `ProtocolViolation`.
 */
export function decodeUp(
  header: string,
  data: unknown,
): { readonly ack: number; readonly messages: readonly unknown[] } {
  if (typeof data !== "string") throw new ProtocolViolation("a frame is not text");
  if (data.length > LIMITS.frameChars) throw new ProtocolViolation("a frame is too long");
  if (!data.startsWith(header)) throw new ProtocolViolation("a frame bears another worker's route");
  let items: unknown;
  try {
    items = JSON.parse(data.slice(ROUTE_DIGITS));
  } catch {
    throw new ProtocolViolation("a frame is not JSON");
  }
  if (!Array.isArray(items)) throw new ProtocolViolation("a frame is not a list");
  if (items.length === 0 || items.length > LIMITS.frameMessages)
    throw new ProtocolViolation("a frame has a wrong count of messages");
  const ack: unknown = items[0];
  if (typeof ack !== "number" || !Number.isSafeInteger(ack) || ack < 0)
    throw new ProtocolViolation("a frame acknowledges no count");
  items.shift();
  return { ack, messages: items };
}
