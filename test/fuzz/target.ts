/** One parser under test: what it is given, what must hold of each input, and whose branches are counted. */
import type fc from "fast-check";
import type { Random } from "./random.js";

/** How far an input came: not past the syntax, refused by a rule, or taken. */
export type Reach = "unread" | "refused" | "accepted";

/** What one input led to. */
export interface Outcome {
  readonly reach: Reach;
  /** Milliseconds of the slowest piece, where an input is given in several; absent: the whole. */
  readonly ms?: number;
}

/** A file of `dist` that belongs to a parser; of some only these functions, by name. */
export interface ParserFile {
  readonly file: string;
  readonly functions?: readonly string[];
}

export interface Target {
  readonly name: string;
  /** Valid inputs: recorded frames, documents of the repository, what our own encoders make. */
  readonly corpus: readonly string[];
  /** What every run begins with besides: inputs at limits that cost too much to be made often. */
  readonly once?: readonly unknown[];
  /** An entry of the corpus as an input; absent: as it is. */
  input?(text: string): unknown;
  /** Largest input, in characters: a little over the parser's own limit. */
  readonly most: number;
  readonly files: readonly ParserFile[];
  /** Inputs that were mutated from none. */
  readonly generated: fc.Arbitrary<unknown>;
  /** A mutation of the corpus; absent: `mutate` of one text. */
  mutated?(random: Random): unknown;
  /** Gives the parser one input. Throws whatever must not happen; the same input may be given again. */
  run(input: unknown): Outcome | Promise<Outcome>;
}

/** A property that does not hold; `what` says which. */
class Broken extends Error {
  override readonly name: string = "Broken";
}

/** Throws `Broken` unless `holds`. */
export function must(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Broken(what);
}

/** What is shown to an operator is one visible line of bounded length. */
export function mustBeLine(message: string, most = 4096): void {
  must(message.length <= most, `a message of ${message.length} characters`);
  must(!/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(message), `a message with unseen characters: ${JSON.stringify(message)}`);
}
