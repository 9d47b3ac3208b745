/** The logger a platform may pass, and how the host uses it. */
import { escapeLine } from "./escape.js";

/** A logger with the interface of pino, or nearly that of console. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** The part of a logger that powers and watches use. */
export type OperatorLog = Pick<Logger, "info" | "warn" | "error">;

/** Marks the fields of a line that a plugin wrote itself, by its console or `powers.log`. */
export const PLUGIN_OUTPUT = { source: "plugin" } as const;

/** A plugin's own line, as the host's logger gets it. */
export interface PluginOutput {
  readonly plugin: string;
  /** The extra fields that `powers.log` was given. */
  readonly fields?: object;
}

/** Returns the fields of a line that a plugin wrote itself; undefined for a line of the host. */
export function pluginOutput(fields: object): PluginOutput | undefined {
  const { source } = fields as { readonly source?: unknown };
  return source === PLUGIN_OUTPUT.source ? (fields as PluginOutput) : undefined;
}

/** The default logger: warnings, errors, and what plugins write (except `console.debug`), all to stderr. */
export const defaultLogger: Logger = {
  debug() {},
  info(fields, message) {
    if (pluginOutput(fields)) printLine("info", fields, message);
  },
  warn: (fields, message) => printLine("warn", fields, message),
  error: (fields, message) => printLine("error", fields, message),
};

/** Prints `bulkhead: …`, or `[greet] …` for a plugin's own line. Never to stdout, which belongs to the platform. */
function printLine(level: "info" | "warn" | "error", fields: object, message: string): void {
  const print = level === "error" ? console.error : console.warn;
  const output = pluginOutput(fields);
  if (output === undefined) {
    print(`bulkhead: ${message}`, fields);
    return;
  }
  const line = `[${output.plugin}] ${level === "info" ? "" : `${level}: `}${message}`;
  // Passed as a separate argument: a format of the plugin's (`%s`) would consume the fields.
  if (output.fields === undefined) print("%s", line);
  else print("%s", line, { ...output.fields });
}

/** Longest message of a log line, in UTF-16 units. */
const MESSAGE_CHARS = 4096;
/** Depth of causes that is shown. */
const CAUSES = 4;

/**
 * Wraps a platform's logger. Messages and errors may hold a plugin's text, so control characters are escaped and no line can
 * forge another; a logger that throws only loses that line.
 */
export function safeLogger(logger: Logger): Logger {
  const through =
    (level: "debug" | "info" | "warn" | "error") =>
    (fields: object, message: string): void => {
      try {
        logger[level](plainFields(fields), escapeLine(message, MESSAGE_CHARS));
      } catch {
        // There is nowhere left to report it.
      }
    };
  return { debug: through("debug"), info: through("info"), warn: through("warn"), error: through("error") };
}

function plainFields(fields: object): object {
  const errors = Object.entries(fields).filter(([, value]) => value instanceof Error);
  if (errors.length === 0) return fields;
  return { ...fields, ...Object.fromEntries(errors.map(([key, error]) => [key, logged(error as Error)])) };
}

/** Copies an error for the log, with every text escaped to one line: message, stack, causes and other properties. */
function logged(error: Error, depth = 0): Error {
  const line = (text: unknown): string => escapeLine(String(text), MESSAGE_CHARS);
  const { name, cause } = error;
  const [message, stack] = [String(error.message), String(error.stack ?? "")];
  const copy = new Error(line(message));
  for (const [key, value] of Object.entries(error)) {
    if (typeof value === "string") Object.assign(copy, { [key]: line(value) });
    else if (typeof value === "number" || typeof value === "boolean") Object.assign(copy, { [key]: value });
  }
  // The stack begins with the message: anything in the message that looks like a frame is not one.
  const frames = stack.slice(stack.includes(message) ? stack.indexOf(message) + message.length : 0).split("\n");
  const kept = frames.filter((frame) => /^\s+at /.test(frame)).map(line);
  const hidden = { configurable: true, writable: true, enumerable: false };
  Object.defineProperty(copy, "name", { ...hidden, value: line(name) });
  Object.defineProperty(copy, "stack", { ...hidden, value: [`${line(name)}: ${line(message)}`, ...kept].join("\n") });
  if (cause instanceof Error && depth < CAUSES)
    Object.defineProperty(copy, "cause", { ...hidden, value: logged(cause, depth + 1) });
  else if (typeof cause === "string") Object.defineProperty(copy, "cause", { ...hidden, value: line(cause) });
  return copy;
}
