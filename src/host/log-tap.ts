/** Lets control sockets read the host's log: passes every line on, keeps the last ones, and gives them to listeners. */
import { escapeLine } from "../common/escape.js";
import { type Logger, pluginOutput } from "../common/logger.js";
import { OPERATOR } from "./limits.js";

/** A line of the log. Its texts are escaped. */
export interface LogRecord {
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly level: keyof Logger;
  /** The plugin that the line is about, or that wrote it. */
  readonly plugin?: string | undefined;
  /** True if the plugin wrote it itself. */
  readonly own: boolean;
  readonly code?: string | undefined;
  readonly message: string;
  /** The extra fields that `powers.log` was given. */
  readonly fields?: object | undefined;
}

interface Kept {
  /** Its place among all lines. */
  readonly number: number;
  readonly record: LogRecord;
}

export class LogTap implements Logger {
  readonly #inner: Logger;
  /** The last lines: those of plugins, and the others, so that no plugin can push out what is told of it. */
  readonly #own: Kept[] = [];
  readonly #others: Kept[] = [];
  #next = 0;
  readonly #listeners = new Set<(record: LogRecord) => void>();

  constructor(inner: Logger) {
    this.#inner = inner;
  }

  /** Gives `listener` the last lines, and all from now on. Returns a function that stops that. */
  listen(listener: (record: LogRecord) => void): () => void {
    for (const { record } of [...this.#own, ...this.#others].sort((a, b) => a.number - b.number)) listener(record);
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  debug(fields: object, message: string): void {
    if (pluginOutput(fields)) this.#keep("debug", fields, message);
    this.#inner.debug(fields, message);
  }

  info(fields: object, message: string): void {
    this.#keep("info", fields, message);
    this.#inner.info(fields, message);
  }

  warn(fields: object, message: string): void {
    this.#keep("warn", fields, message);
    this.#inner.warn(fields, message);
  }

  error(fields: object, message: string): void {
    this.#keep("error", fields, message);
    this.#inner.error(fields, message);
  }

  #keep(level: keyof Logger, fields: object, message: string): void {
    const { plugin, code } = fields as { readonly plugin?: unknown; readonly code?: unknown };
    const own = pluginOutput(fields);
    const record: LogRecord = {
      time: Date.now(),
      level,
      ...(typeof plugin === "string" ? { plugin } : {}),
      own: own !== undefined,
      ...(typeof code === "string" ? { code } : {}),
      message: escapeLine(message, OPERATOR.lineChars),
      ...(own?.fields ? { fields: own.fields } : {}),
    };
    const kept = own ? this.#own : this.#others;
    kept.push({ number: this.#next++, record });
    if (kept.length > OPERATOR.keptLines) kept.shift();
    for (const listener of this.#listeners) listener(record);
  }
}
