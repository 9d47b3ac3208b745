/** The log of a command's temporary host: captures the state of the wall and the plugin's own lines for the command's report. */
import { type Logger, pluginOutput } from "../common/logger.js";

/** The wall around a plugin, for a report. */
export interface WallReport {
  /** Null: no wall was raised, since the plugin ran in a thread or was not started. */
  readonly name: string | null;
  /** What was missing; null if it was complete. */
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

export class CapturedLog implements Logger {
  readonly written: WrittenLine[] = [];
  /** Number of further lines. */
  more = 0;
  #wall: WallReport = { name: null, weakened: null };

  get wall(): WallReport {
    return this.#wall;
  }

  /** The host logs a complete wall at this level. */
  debug(fields: object, message: string): void {
    if (!this.#capture("debug", fields, message)) this.#readWall(fields, null);
  }

  info(fields: object, message: string): void {
    this.#capture("info", fields, message);
  }

  /** The host logs an incomplete wall at this level. */
  warn(fields: object, message: string): void {
    if (!this.#capture("warn", fields, message)) this.#readWall(fields, message);
  }

  error(fields: object, message: string): void {
    this.#capture("error", fields, message);
  }

  /** Captures a line of the plugin. Returns false for other lines. */
  #capture(level: keyof Logger, told: object, message: string): boolean {
    const output = pluginOutput(told);
    if (output === undefined) return false;
    const { fields } = output;
    if (this.written.length < SHOWN_LINES) this.written.push({ level, message, ...(fields ? { fields } : {}) });
    else this.more++;
    return true;
  }

  /** Reads a line about the wall, which has the field `wall` and no plugin. */
  #readWall(fields: object, weakened: string | null): void {
    const { wall, plugin } = fields as { readonly wall?: unknown; readonly plugin?: unknown };
    if (typeof wall === "string" && plugin === undefined) this.#wall = { name: wall, weakened };
  }
}
