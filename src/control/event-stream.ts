/**
 * One client that follows the events. It has no queue of its own: it reads the log as fast as its connection takes it, and is told how
 * many events were evicted before it read them.
 */
import type { EventLog, LoggedEvent, Reader } from "./event-log.js";
import { CONTROL } from "./limits.js";
import type { EventsQuery } from "./request-schemas.js";

/** The part of a response that a stream uses. */
export interface StreamTarget {
  /** Returns false if `drain` must come before more is written. */
  write(text: string): boolean;
  end(): void;
  on(event: "drain" | "close", listener: () => void): unknown;
}

export class EventStream {
  readonly #log: EventLog;
  readonly #target: StreamTarget;
  readonly #query: EventsQuery;
  readonly #ended: () => void;
  readonly #unlisten: () => void;
  readonly #beat: NodeJS.Timeout;
  readonly #reader: Reader;
  #blocked = false;
  #closed = false;

  /** `ended`: called once, when the client has gone or has got all it asked for. */
  constructor(log: EventLog, target: StreamTarget, query: EventsQuery, ended: () => void) {
    this.#log = log;
    this.#target = target;
    this.#query = query;
    this.#ended = ended;
    this.#reader = this.#start();
    this.#unlisten = log.listen(() => this.#pump());
    this.#beat = setInterval(() => {
      if (!this.#blocked) this.#write(":\n\n");
    }, CONTROL.beatMs).unref();
    target.on("drain", () => {
      this.#blocked = false;
      this.#pump();
    });
    target.on("close", () => this.#close());
    this.#pump();
  }

  /** True once it has ended, or its client has gone. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Ends the stream: the host closes, or the client has gone. */
  end(): void {
    if (this.#closed) return;
    this.#target.end();
    this.#close();
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#beat);
    this.#unlisten();
    this.#ended();
  }

  #start(): Reader {
    const { since, last, follow } = this.#query;
    if (since !== undefined) return this.#log.after(since);
    if (last !== undefined) return this.#log.last(last, (entry) => this.#wanted(entry));
    return follow === "false" ? this.#log.oldest() : this.#log.newest();
  }

  #pump(): void {
    while (!this.#blocked && !this.#closed && this.#reader.left > 0) this.#write(this.#chunk());
    if (this.#query.follow === "false" && this.#reader.left === 0) this.end();
  }

  /** Takes the next events, as many as fit. */
  #chunk(): string {
    const count = this.#reader.skip();
    let text = count === 0 ? "" : `event: missed\ndata: ${JSON.stringify({ count })}\n\n`;
    while (text.length < CONTROL.chunkChars) {
      const entry = this.#reader.next();
      if (!entry) break;
      if (this.#wanted(entry)) text += entry.text;
    }
    return text;
  }

  #wanted(entry: LoggedEvent): boolean {
    const { plugin, kind } = this.#query;
    if (plugin !== undefined && entry.plugin !== plugin) return false;
    return kind === undefined || (kind === "log") === (entry.event === "log");
  }

  #write(text: string): void {
    if (text !== "" && !this.#target.write(text)) this.#blocked = true;
  }
}
