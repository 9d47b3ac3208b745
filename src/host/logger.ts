/** The logger a platform may give, and how the host uses it. */
import { escapeLine } from "../permissions/log/escape.js";

/** pino's shape, and console's near enough. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Where a platform gives none: warnings and errors to stderr, nothing else. */
export const defaultLogger: Logger = {
  debug() {},
  info() {},
  warn: (fields, message) => console.warn(`bulkhead: ${message}`, fields),
  error: (fields, message) => console.error(`bulkhead: ${message}`, fields),
};

/** The longest message a log line gets, in UTF-16 units. */
const MESSAGE_CHARS = 4096;

/**
 * A platform's logger as the host uses it: messages may hold a plugin's words, so control characters are escaped and no line
 * can forge another; and a logger that throws costs a line, nothing else.
 */
export function safeLogger(logger: Logger): Logger {
  const through =
    (level: "debug" | "info" | "warn" | "error") =>
    (fields: object, message: string): void => {
      try {
        logger[level](fields, escapeLine(message, MESSAGE_CHARS));
      } catch {
        // There is nobody left to tell.
      }
    };
  return { debug: through("debug"), info: through("info"), warn: through("warn"), error: through("error") };
}
