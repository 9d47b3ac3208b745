/** Cuts a stream into lines. Node's readline does the same at several times the cost, for which every query would wait. */
const NEWLINE = 0x0a;

export class LineReader {
  readonly #most: number;
  #pending: Buffer = Buffer.alloc(0);

  /** `most`: bytes of the longest line. */
  constructor(most: number) {
    this.#most = most;
  }

  /** Returns the lines that are complete, without their ends; undefined if one is longer than allowed. */
  read(piece: Buffer): readonly string[] | undefined {
    const bytes = this.#pending.length === 0 ? piece : Buffer.concat([this.#pending, piece]);
    const lines: string[] = [];
    let at = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, at)) {
      if (end - at > this.#most) return undefined;
      lines.push(bytes.toString("utf8", at, end));
      at = end + 1;
    }
    this.#pending = bytes.subarray(at);
    return this.#pending.length > this.#most ? undefined : lines;
  }
}
