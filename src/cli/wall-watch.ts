/**
 * The log of a host that a command makes for itself. What it would say, the command reports; of the wall it takes the host's words,
 * and of the plugin what it writes itself.
 */
import { type Logger, pluginOutput } from "../common/logger.js";

/** What stood around a plugin, for a report. */
export interface WallReport {
  /** Null: none was raised, since the plugin lived in a thread, or was not started. */
  readonly name: string | null;
  /** What was missing; null: nothing. */
  readonly weakened: string | null;
}

/** One line that the plugin wrote. */
export interface WrittenLine {
  readonly level: keyof Logger;
  readonly message: string;
  readonly fields?: object;
}

/** Lines that a report shows; more are counted. */
const SHOWN_LINES = 200;

export class WallWatch implements Logger {
  readonly written: WrittenLine[] = [];
  /** Lines beyond those. */
  more = 0;
  #report: WallReport = { name: null, weakened: null };

  get report(): WallReport {
    return this.#report;
  }

  /** All of it stands. */
  debug(fields: object, message: string): void {
    if (!this.#took("debug", fields, message)) this.#look(fields, null);
  }

  info(fields: object, message: string): void {
    this.#took("info", fields, message);
  }

  /** Not all of it stands. */
  warn(fields: object, message: string): void {
    if (!this.#took("warn", fields, message)) this.#look(fields, message);
  }

  error(fields: object, message: string): void {
    this.#took("error", fields, message);
  }

  /** True for a line of the plugin's, which is kept. */
  #took(level: keyof Logger, told: object, message: string): boolean {
    const output = pluginOutput(told);
    if (output === undefined) return false;
    const { fields } = output;
    if (this.written.length < SHOWN_LINES) this.written.push({ level, message, ...(fields ? { fields } : {}) });
    else this.more++;
    return true;
  }

  /** What the host says of a wall names it, and no plugin. */
  #look(fields: object, weakened: string | null): void {
    const { wall, plugin } = fields as { readonly wall?: unknown; readonly plugin?: unknown };
    if (typeof wall === "string" && plugin === undefined) this.#report = { name: wall, weakened };
  }
}
