/**
 * Frames: what travels over a link. Text: an eight-digit hexadecimal routing header (a host process passes frames on by it,
 * undecoded), then a JSON array. Worker → host its first item acknowledges: the count of frames received so far.
 */
import { LIMITS } from "./limits.js";
import type { DownMessage, UpMessage } from "./messages.js";

/** Digits of the routing header. */
const ROUTE_DIGITS = 8;

/** A frame that no honest worker sends. */
export class ProtocolViolation extends Error {
  override readonly name: string = "ProtocolViolation";
}

/** The routing header of link `route` (0 ≤ route < 2³²). */
export function routeHeader(route: number): string {
  return route.toString(16).padStart(ROUTE_DIGITS, "0");
}

/** Frames from host to worker: messages are gathered, and given as one text. It is put together once, from all of its pieces. */
export class DownFrames {
  readonly #begin: string;
  #pieces: string[];
  #count = 0;

  constructor(header: string) {
    this.#begin = `${header}[`;
    this.#pieces = [this.#begin];
  }

  /** Messages that wait. */
  get count(): number {
    return this.#count;
  }

  /** One message, as JSON text. */
  message(text: string): void {
    if (this.#count++ > 0) this.#pieces.push(",");
    this.#pieces.push(text);
  }

  /**
   * A call to the driver of this index; its arguments are JSON texts already: options are encoded once, for wire and journal alike.
   * `expires` is rounded down: what has passed its deadline must never start.
   */
  call(id: number, expires: number, method: string, index: number, args: readonly string[]): void {
    this.message('{"kind":"call","expires":');
    const pieces = this.#pieces;
    pieces.push(String(Math.floor(expires)), ',"message":{"id":', String(id), ',"type":"APPLY","path":["', method);
    pieces.push('"],"argumentList":[{"type":"RAW","value":', String(index));
    for (const arg of args) pieces.push('},{"type":"RAW","value":', arg);
    pieces.push("}]}}");
  }

  /** The frame of all that waits, which then waits no more. */
  take(): string {
    this.#pieces.push("]");
    const text = this.#pieces.join("");
    this.#pieces = [this.#begin];
    this.#count = 0;
    return text;
  }
}

/** A frame from host to worker, read by the worker; it trusts its host. */
export function decodeDown(text: string): readonly DownMessage[] {
  return JSON.parse(text.slice(ROUTE_DIGITS)) as DownMessage[];
}

/** A frame from worker to host; `messages` are JSON texts already. */
export function encodeUp(header: string, ack: number, messages: readonly string[]): string {
  return messages.length === 0 ? `${header}[${ack}]` : `${header}[${ack},${messages.join(",")}]`;
}

/** One message's JSON text. */
export function encodeMessage(message: DownMessage | UpMessage): string {
  return JSON.stringify(message);
}

/**
 * Reads a frame of a worker, which may be an attacker's: type, then length, then header, then JSON, then a count.
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
  if (!Array.isArray(items)) throw new ProtocolViolation("a frame is no list");
  if (items.length === 0 || items.length > LIMITS.frameMessages)
    throw new ProtocolViolation("a frame has a wrong count of messages");
  const ack: unknown = items[0];
  if (typeof ack !== "number" || !Number.isSafeInteger(ack) || ack < 0)
    throw new ProtocolViolation("a frame acknowledges no count");
  items.shift();
  return { ack, messages: items };
}
