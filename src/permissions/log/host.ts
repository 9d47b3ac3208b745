/** `log`, on the host's side: bounds a plugin's lines, escapes them, and passes them to the platform's logger. */

import { escapeLine } from "../../common/escape.js";
import type { Json } from "../../driverapi/json.js";
import { LIMITS } from "../../protocol/limits.js";
import type { LogLimits } from "../catalogue.js";
import type { HostPower } from "../permission.js";
import { createLineBucket } from "./bucket.js";

/** The part of a pino-shaped logger that is used. */
export type LogSink = Readonly<Record<LogLevel, (fields: object, message: string) => void>>;

/** The levels a plugin may log at. */
export type LogLevel = "debug" | "info" | "warn" | "error";

const LEVELS: ReadonlySet<unknown> = new Set<LogLevel>(["debug", "info", "warn", "error"]);

/** What `createLogPower` needs. */
export interface LogPowerOptions {
  /** The plugin's id, given with every line. */
  readonly plugin: string;
  readonly limits: LogLimits;
  readonly logger: LogSink;
  /** Milliseconds; default `Date.now`. */
  readonly now?: (() => number) | undefined;
}

/**
 * Serves the notice `log.write`, `[level, text, fields?]`: one call of `logger[level]({ plugin, fields? }, line)` each.
 * Lines are escaped (`escapeLine`) and cut at `lineChars`; over `linesPerSecond`, or twice that in a burst, they are dropped and
 * counted, as malformed notices are. Never throws, even if the logger does.
 */
export function createLogPower({ plugin, limits, logger, now = Date.now }: LogPowerOptions): HostPower {
  const bucket = createLineBucket(limits.linesPerSecond, 2 * limits.linesPerSecond, now);
  let malformed = 0;

  const emit = (level: LogLevel, fields: object, line: string): void => {
    try {
      logger[level](fields, line);
    } catch {
      // The platform's logger threw; that must not fail the plugin's notice.
    }
  };

  const tell = (): void => {
    const count = bucket.dropped() + malformed;
    malformed = 0;
    if (count > 0)
      emit(
        "warn",
        { plugin },
        `${count} lines of the plugin dropped: over ${limits.linesPerSecond} a second, or malformed`,
      );
  };

  const write = (args: readonly Json[]): void => {
    if (!bucket.take()) return;
    const [level, text, fields] = args;
    if (!isLevel(level) || typeof text !== "string") {
      malformed += 1;
      return;
    }
    tell();
    const safe = safeFields(fields, limits.lineChars);
    emit(level, safe === undefined ? { plugin } : { plugin, fields: safe }, escapeLine(text, limits.lineChars));
  };

  return { notices: new Map([["log.write", write]]), close: tell };
}

function isLevel(value: unknown): value is LogLevel {
  return LEVELS.has(value);
}

/** Returns the fields as a null-prototype object, logged under a key of their own: they cannot pass for the logger's fields. */
function safeFields(fields: Json | undefined, max: number): Readonly<Record<string, Json>> | undefined {
  if (typeof fields !== "object" || fields === null || Array.isArray(fields)) return undefined;
  const safe: Record<string, Json> = Object.create(null);
  let room = max;
  for (const [key, value] of Object.entries(fields).slice(0, LIMITS.logFields)) {
    if (room <= 0) break;
    const name = escapeLine(key, 64);
    const item = typeof value === "string" ? escapeLine(value, room) : typeof value === "object" ? null : value;
    safe[name] = item;
    room -= name.length + (typeof item === "string" ? item.length : 8);
  }
  return safe;
}
