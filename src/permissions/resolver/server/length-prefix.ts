/** Messages over TCP: two bytes of length before each. RFC 1035, 4.2.2. */

/** Assembles a stream's pieces into messages. */
export class MessageReader {
  readonly #most: number;
  #pending: Buffer = Buffer.alloc(0);

  /** `most`: bytes of the longest message. */
  constructor(most: number) {
    this.#most = most;
  }

  /** Returns the messages that are complete; undefined if one is longer than allowed. */
  read(piece: Buffer): readonly Buffer[] | undefined {
    this.#pending = Buffer.concat([this.#pending, piece]);
    const messages: Buffer[] = [];
    while (this.#pending.length >= 2) {
      const length = this.#pending.readUInt16BE(0);
      if (length > this.#most) return undefined;
      if (this.#pending.length < 2 + length) break;
      messages.push(this.#pending.subarray(2, 2 + length));
      this.#pending = this.#pending.subarray(2 + length);
    }
    return messages;
  }
}

export function lengthPrefixed(message: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}
