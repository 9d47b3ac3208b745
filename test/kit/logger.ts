/** Loggers for the hosts of tests. */
import type { Logger } from "#dist/index.js";

/** Says nothing. */
export const SILENT: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/** One line of a host's log. */
export interface LogLine {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly fields: Readonly<Record<string, unknown>>;
  readonly text: string;
}

/** A logger, and what it has been told. */
export function recorder(): { readonly logger: Logger; readonly log: LogLine[] } {
  const log: LogLine[] = [];
  const line =
    (level: LogLine["level"]) =>
    (fields: object, text = ""): void => {
      log.push({ level, fields: fields as LogLine["fields"], text });
    };
  return { log, logger: { debug: line("debug"), info: line("info"), warn: line("warn"), error: line("error") } };
}
