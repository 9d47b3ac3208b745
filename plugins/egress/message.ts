/** Decodes and encodes DNS messages (RFC 1035). Incoming messages are hostile; only what is checked here is used. */
import { formatAddress, parseAddress } from "bulkhead/plugin/addressing";
import {
  type Answer,
  decode,
  encode,
  type Packet,
  RECURSION_AVAILABLE,
  RECURSION_DESIRED,
  TRUNCATED_RESPONSE,
} from "./dns-packet.js";
import { EGRESS } from "./limits.ts";

/** The kinds of records that are resolved. */
export type AddressType = "A" | "AAAA";

/** Response codes. */
export const RCODE = { ok: 0, format: 1, failed: 2, absent: 3, notImplemented: 4, refused: 5 } as const;
export type Rcode = (typeof RCODE)[keyof typeof RCODE];

/** A query of a container's. */
export interface Query {
  readonly id: number;
  /** Lower case, without a dot at its end. */
  readonly name: string;
  /** As the client wrote it. */
  readonly asked: string;
  readonly type: string;
  readonly recursion: boolean;
  /** Bytes of an answer that the client takes over UDP. */
  readonly room: number;
  readonly extended: boolean;
}

/** A query that gets an error at once, or nothing. */
export interface Unreadable {
  readonly problem: Rcode | undefined;
  readonly id: number;
}

/** A record of an answer. */
export interface Record {
  readonly name: string;
  readonly ttl: number;
  readonly type: AddressType | "CNAME";
  /** An address, or a name: lower case, without a dot at its end. */
  readonly data: string;
}

/** A name server's reply. */
export interface Reply {
  readonly rcode: number;
  readonly truncated: boolean;
  readonly records: readonly Record[];
}

const HEADER = 12;
const RESPONSE = 0x8000;
const NAME_CHARS = 253;
/** Seconds: the greatest TTL. RFC 2181, 8. */
const TTL_MOST = 0x7fff_ffff;

/** Reads a query. Never throws. */
export function readQuery(bytes: Uint8Array): Query | Unreadable {
  if (bytes.length < HEADER) return { problem: undefined, id: 0 };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [id, flags, questions] = [view.getUint16(0), view.getUint16(2), view.getUint16(4)];
  // An answer to a response would be answered by a response.
  if ((flags & RESPONSE) !== 0) return { problem: undefined, id };
  if (((flags >> 11) & 0xf) !== 0) return { problem: RCODE.notImplemented, id };
  if (questions !== 1) return { problem: RCODE.format, id };
  const packet = decoded(bytes);
  const question = packet?.questions?.[0];
  const name = question && nameOf(question.name);
  if (!packet || !question || name === undefined || question.class !== "IN") return { problem: RCODE.format, id };
  const extension = packet.additionals?.find(({ type }) => type === "OPT");
  const room = Math.min(Math.max(512, Number(extension?.udpPayloadSize) || 512), EGRESS.datagramBytes);
  const recursion = (flags & RECURSION_DESIRED) !== 0;
  return { id, name, asked: question.name, type: question.type, recursion, room, extended: extension !== undefined };
}

/** Writes a question to a name server. */
export function writeQuestion(name: string, type: AddressType): Uint8Array {
  return encode({
    type: "query",
    id: 0,
    flags: RECURSION_DESIRED,
    questions: [{ name, type, class: "IN" }],
    additionals: [{ name: ".", type: "OPT", udpPayloadSize: EGRESS.datagramBytes, flags: 0 }],
  });
}

/** Reads a reply to a question; undefined if it does not answer it. Never throws. */
export function readReply(bytes: Uint8Array, name: string, type: AddressType): Reply | undefined {
  if (bytes.length < HEADER) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const flags = view.getUint16(2);
  if ((flags & RESPONSE) === 0 || ((flags >> 11) & 0xf) !== 0 || view.getUint16(4) !== 1) return undefined;
  const truncated = (flags & TRUNCATED_RESPONSE) !== 0;
  // What was cut off may not be readable.
  const packet = decoded(bytes) ?? (truncated ? { questions: [{ name, type, class: "IN" }] } : undefined);
  const question = packet?.questions?.[0];
  if (!question || nameOf(question.name) !== name || question.type !== type || question.class !== "IN")
    return undefined;
  return { rcode: flags & 0xf, truncated, records: (packet.answers ?? []).flatMap((answer) => recordOf(answer) ?? []) };
}

/** Writes an answer. `room`: bytes that the client takes; a longer answer is marked as truncated. */
export function writeAnswer(query: Query, rcode: Rcode, records: readonly Record[], room: number): Uint8Array {
  const flags = RESPONSE | RECURSION_AVAILABLE | (query.recursion ? RECURSION_DESIRED : 0) | rcode;
  const packet: Packet = {
    type: "response",
    id: query.id,
    flags,
    questions: [{ name: query.asked, type: query.type, class: "IN" }],
    answers: records.map(({ name, type, ttl, data }) => ({ name, type, ttl, data, class: "IN" })),
    additionals: query.extended ? [{ name: ".", type: "OPT", udpPayloadSize: EGRESS.datagramBytes, flags: 0 }] : [],
  };
  const bytes = encode(packet);
  if (bytes.length <= room) return bytes;
  return encode({ ...packet, flags: flags | TRUNCATED_RESPONSE, answers: [] });
}

/** Writes an answer to a query that cannot be read. */
export function writeProblem(id: number, rcode: Rcode): Uint8Array {
  return encode({ type: "response", id, flags: RESPONSE | RECURSION_AVAILABLE | rcode });
}

/** Returns a name in lower case, without a dot at its end; undefined for one with other characters than names of hosts have. */
export function nameOf(value: unknown): string | undefined {
  if (typeof value !== "string") return undefined;
  const name = value.toLowerCase().replace(/\.$/, "");
  const labels = name.split(".");
  const good = name.length <= NAME_CHARS && labels.every((label) => /^[a-z0-9_-]{1,63}$/.test(label));
  return good ? name : undefined;
}

function recordOf({ name, type, ttl, data, class: kind = "IN" }: Answer): Record | undefined {
  const owner = nameOf(name);
  if (owner === undefined || kind !== "IN" || typeof data !== "string") return undefined;
  const seconds = typeof ttl === "number" && ttl >= 0 && ttl <= TTL_MOST ? Math.floor(ttl) : 0;
  if (type === "CNAME") {
    const target = nameOf(data);
    return target === undefined ? undefined : { name: owner, ttl: seconds, type, data: target };
  }
  const family = type === "A" ? 4 : type === "AAAA" ? 6 : undefined;
  const address = parseAddress(data);
  if (family === undefined || address?.family !== family) return undefined;
  return { name: owner, ttl: seconds, type: type as AddressType, data: formatAddress(address) };
}

function decoded(bytes: Uint8Array): Packet | undefined {
  try {
    return decode(bytes);
  } catch {
    return undefined;
  }
}
