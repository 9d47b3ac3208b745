/** `log`, in the worker: the plugin's console, and `powers.log` for lines with fields. The host half enforces all limits again. */
import { types } from "node:util";
import type { Json } from "../../driverapi/json.js";
import { LIMITS } from "../../protocol/limits.js";
import type { LogLimits } from "../catalogue.js";
import type { Endowment, HostPort } from "../permission.js";
import { kindOf, wrongArgument } from "../refusal.js";
import { createLineBucket } from "./bucket.js";
import { formatArguments } from "./format.js";

type Level = "debug" | "info" | "warn" | "error";

/** Delay before the number of dropped lines is logged, if nothing else is logged meanwhile. */
const TELL_AFTER_MS = 1_000;

/**
 * Global `console` with `log`, `info`, `warn`, `error`, `debug`, `trace` (as debug) and `assert`; `powers.log(level, message, fields?)`
 * with `fields` a flat object of primitives (`ERR_PERMISSION_ARGUMENT` for anything else).
 * Lines are cut at `lineChars`; over `linesPerSecond` they are dropped, and one line gives their number.
 */
export function endow(limits: LogLimits, port: HostPort): Endowment {
  const bucket = createLineBucket(limits.linesPerSecond, limits.linesPerSecond, Date.now);
  let teller: NodeJS.Timeout | undefined;

  const tell = (): void => {
    clearTimeout(teller);
    teller = undefined;
    const count = bucket.dropped();
    if (count > 0) port.notify("log.write", ["warn", `${count} lines dropped: over ${limits.linesPerSecond} a second`]);
  };

  const write = (level: Level, text: () => string, fields?: Json): void => {
    if (!bucket.take()) {
      teller ??= setTimeout(tell, TELL_AFTER_MS).unref();
      return;
    }
    if (teller !== undefined) tell();
    const line = text();
    port.notify("log.write", fields === undefined ? [level, line] : [level, line, fields]);
  };

  const printer =
    (level: Level) =>
    (...args: unknown[]): void =>
      write(level, () => formatArguments(args, limits.lineChars));

  const console = {
    debug: printer("debug"),
    error: printer("error"),
    info: printer("info"),
    log: printer("info"),
    trace: printer("debug"),
    warn: printer("warn"),
    assert: (condition?: unknown, ...args: unknown[]): void => {
      if (!condition) write("error", () => formatArguments(["Assertion failed:", ...args], limits.lineChars));
    },
  };

  const power = (level: unknown, message: unknown, fields?: unknown): void => {
    if (level !== "debug" && level !== "info" && level !== "warn" && level !== "error") {
      throw wrongArgument(`log: the level must be "debug", "info", "warn" or "error"`);
    }
    if (typeof message !== "string") throw wrongArgument(`log: the message must be a string, not ${kindOf(message)}`);
    const plain = fields === undefined ? undefined : plainFields(fields, limits.lineChars);
    write(level, () => formatArguments([message], limits.lineChars), plain);
  };

  return { globals: { console }, power, stop: tell };
}

/** Copies a flat object of primitives without running the plugin's code. */
function plainFields(fields: unknown, max: number): Json {
  if (
    typeof fields !== "object" ||
    fields === null ||
    types.isProxy(fields) ||
    Array.isArray(fields) ||
    ArrayBuffer.isView(fields)
  ) {
    throw wrongArgument("log: the fields must be a plain object of strings, numbers and booleans");
  }
  const keys = Object.keys(fields);
  if (keys.length > LIMITS.logFields) {
    throw wrongArgument(`log: ${keys.length} fields given; a line takes at most ${LIMITS.logFields}`);
  }
  return Object.fromEntries(
    keys.map((key) => {
      const value: unknown = Reflect.getOwnPropertyDescriptor(fields, key)?.value;
      if (typeof value === "number") return [key, Number.isFinite(value) ? value : String(value)];
      if (typeof value === "boolean" || value === null) return [key, value];
      return [key, formatArguments([value], max)];
    }),
  );
}
