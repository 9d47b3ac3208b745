/** The logger a platform may give, and how the host uses it. */
import { escapeLine } from "../permissions/log/escape.js";

/** pino's shape, and console's near enough. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** What is among the fields of a line that a plugin wrote itself, by its console or `powers.log`. */
export const PLUGIN_OUTPUT = { source: "plugin" } as const;

/** What a plugin wrote, as the host's logger is told of it. */
export interface PluginOutput {
  readonly plugin: string;
  /** What `powers.log` was given besides. */
  readonly fields?: object;
}

/** The fields of a line that a plugin wrote itself; undefined for a line of the host's. */
export function pluginOutput(fields: object): PluginOutput | undefined {
  const { source } = fields as { readonly source?: unknown };
  return source === PLUGIN_OUTPUT.source ? (fields as PluginOutput) : undefined;
}

/** Where a platform gives none: warnings, errors, and what plugins write (but for `console.debug`), all to stderr. */
export const defaultLogger: Logger = {
  debug() {},
  info(fields, message) {
    if (pluginOutput(fields)) printLine("info", fields, message);
  },
  warn: (fields, message) => printLine("warn", fields, message),
  error: (fields, message) => printLine("error", fields, message),
};

/** `bulkhead: …`, and for a plugin's own line `[greet] …`. Never to stdout, which is the platform's. */
function printLine(level: "info" | "warn" | "error", fields: object, message: string): void {
  const print = level === "error" ? console.error : console.warn;
  const output = pluginOutput(fields);
  if (output === undefined) {
    print(`bulkhead: ${message}`, fields);
    return;
  }
  const line = `[${output.plugin}] ${level === "info" ? "" : `${level}: `}${message}`;
  // As an argument of its own: a format of the plugin's (`%s`) would take the fields.
  if (output.fields === undefined) print("%s", line);
  else print("%s", line, { ...output.fields });
}

/** The longest message a log line gets, in UTF-16 units. */
const MESSAGE_CHARS = 4096;
/** Causes of causes that are shown. */
const CAUSES = 4;

/**
 * A platform's logger as the host uses it: messages and errors may hold a plugin's words, so control characters are escaped and no
 * line can forge another; and a logger that throws costs a line, nothing else.
 */
export function safeLogger(logger: Logger): Logger {
  const through =
    (level: "debug" | "info" | "warn" | "error") =>
    (fields: object, message: string): void => {
      try {
        logger[level](plainFields(fields), escapeLine(message, MESSAGE_CHARS));
      } catch {
        // There is nobody left to tell.
      }
    };
  return { debug: through("debug"), info: through("info"), warn: through("warn"), error: through("error") };
}

function plainFields(fields: object): object {
  const errors = Object.entries(fields).filter(([, value]) => value instanceof Error);
  if (errors.length === 0) return fields;
  return { ...fields, ...Object.fromEntries(errors.map(([key, error]) => [key, logged(error as Error)])) };
}

/** An error as a log may show it: its words one line each, in its stack, its causes and whatever else it carries, too. */
function logged(error: Error, depth = 0): Error {
  const line = (text: unknown): string => escapeLine(String(text), MESSAGE_CHARS);
  const { name, cause } = error;
  const [message, stack] = [String(error.message), String(error.stack ?? "")];
  const copy = new Error(line(message));
  for (const [key, value] of Object.entries(error)) {
    if (typeof value === "string") Object.assign(copy, { [key]: line(value) });
    else if (typeof value === "number" || typeof value === "boolean") Object.assign(copy, { [key]: value });
  }
  // The stack begins with the message: what looks like a frame in that is none.
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
