/**
 * The answers of one address that its plugin lets be given again: to the same client, for the same bytes, for a moment. Messages are
 * compared and not parsed; only the id, their first two bytes, is each query's own.
 */
import { RESOLVER } from "./limits.js";

/** A query as it arrived. */
export interface KeptQuery {
  /** The client's address. */
  readonly from: string;
  readonly tcp: boolean;
  readonly message: Buffer;
}

/** A header's bytes, the least a message can have. */
const HEADER = 12;
const ID_BYTES = 2;

export class KeptAnswers {
  readonly #now: () => number;
  readonly #answers = new Map<string, { readonly answer: Buffer; readonly until: number }>();

  /** `now`: in monotonic milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Returns the answer to a query, with the query's id; undefined if the plugin must be asked. */
  get(query: KeptQuery): Buffer | undefined {
    const kept = this.#answers.get(keyOf(query));
    if (!kept || kept.until <= this.#now()) return undefined;
    const answer = Buffer.from(kept.answer);
    query.message.copy(answer, 0, 0, ID_BYTES);
    return answer;
  }

  /**
   * Keeps an answer until `ms` milliseconds after its query arrived (`since`), so that a delay of the answer does not lengthen that. Does
   * nothing for long messages. When there are too many answers, the oldest is evicted.
   */
  put(query: KeptQuery, answer: Buffer, since: number, ms: number): void {
    const until = since + ms;
    const { message } = query;
    if (!(until > this.#now()) || message.length < HEADER || answer.length < HEADER) return;
    if (message.length + answer.length > RESOLVER.keptBytes) return;
    const key = keyOf(query);
    this.#answers.delete(key);
    const [oldest] = this.#answers.keys();
    if (oldest !== undefined && this.#answers.size >= RESOLVER.kept) this.#answers.delete(oldest);
    this.#answers.set(key, { answer, until });
  }
}

function keyOf({ from, tcp, message }: KeptQuery): string {
  return `${from} ${tcp ? "tcp" : "udp"} ${message.toString("latin1", ID_BYTES)}`;
}
