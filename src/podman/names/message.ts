/** DNS messages. Queries are untrusted: one that does not decode gets no answer. */
import { AUTHORITATIVE_ANSWER, decode, encode, type Packet, RECURSION_AVAILABLE, RECURSION_DESIRED } from "dns-packet";
import type { Question, Verdict } from "./zone.js";

/** One question, which is all that clients ask. */
export interface Query extends Question {
  readonly id: number;
  readonly packet: Packet;
}

/** Codes of RFC 1035. */
const CODES = { answers: 0, failed: 2, unknown: 3, refused: 5 } as const;

/** Returns undefined for anything but a query with one question. */
export function readQuery(bytes: Buffer): Query | undefined {
  try {
    const packet = decode(bytes);
    const [question, another] = packet.questions ?? [];
    if (packet.type !== "query" || !question || another) return undefined;
    return { id: packet.id ?? 0, name: question.name, type: question.type, packet };
  } catch {
    return undefined;
  }
}

/** Returns the reply to a query; `failed`: no server answered. */
export function reply({ packet }: Query, verdict: Exclude<Verdict, { kind: "forward" }> | { kind: "failed" }): Buffer {
  const desired = (packet.flags ?? 0) & RECURSION_DESIRED;
  return encode({
    ...{ type: "response", id: packet.id ?? 0, questions: packet.questions ?? [] },
    flags: AUTHORITATIVE_ANSWER | RECURSION_AVAILABLE | desired | CODES[verdict.kind],
    answers: verdict.kind === "answers" ? [...verdict.answers] : [],
  });
}
