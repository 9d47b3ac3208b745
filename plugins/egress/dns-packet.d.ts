/** The parts of `dns-packet` that the driver uses; `build.mjs` makes `dns-packet.js` of the package. */
export interface Question {
  readonly name: string;
  readonly type: string;
  readonly class?: string;
}

export interface Answer {
  readonly name: string;
  readonly type: string;
  readonly class?: string;
  readonly ttl?: number;
  readonly data?: unknown;
}

export interface Packet {
  readonly type?: "query" | "response";
  readonly id?: number;
  readonly flags?: number;
  readonly opcode?: string;
  readonly rcode?: string;
  readonly flag_tc?: boolean;
  readonly questions?: readonly Question[];
  readonly answers?: readonly Answer[];
  readonly additionals?: readonly (Answer & { readonly udpPayloadSize?: number; readonly flags?: number })[];
}

export function decode(message: Uint8Array): Packet;
export function encode(packet: Packet): Uint8Array;
export const RECURSION_DESIRED: number;
export const RECURSION_AVAILABLE: number;
export const TRUNCATED_RESPONSE: number;
