/** `log`, on the host's side: where a plugin's lines are bounded, made safe to read, and handed to the platform's logger. */

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
  /** The plugin's id; stands in every line. */
  readonly plugin: string;
  readonly limits: LogLimits;
  readonly logger: LogSink;
  /** Milliseconds; default `Date.now`. */
  readonly now?: (() => number) | undefined;
}

/**
 * Serves the notice `log.write`, `[level, text, fields?]`: one call of `logger[level]({ plugin, fields? }, line)` each.
 * Lines are escaped (`escapeLine`) and cut at `lineChars`. Over `linesPerSecond` (twice that in a burst: an honest worker's lines
 * can arrive bunched) they are dropped, and the next line that passes is preceded by their number. Malformed notices count as dropped.
 * Never throws, even where the logger does.
 */
export function createLogPower({ plugin, limits, logger, now = Date.now }: LogPowerOptions): HostPower {
  const bucket = createLineBucket(limits.linesPerSecond, 2 * limits.linesPerSecond, now);
  let malformed = 0;

  const emit = (level: LogLevel, fields: object, line: string): void => {
    try {
      logger[level](fields, line);
    } catch {
      // The platform's logger is broken; a plugin's line is no reason to fall over.
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

/** Fields as a null-prototype object under their own key, so that none can pass for the logger's (`time`, `pid`, `plugin`). */
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
