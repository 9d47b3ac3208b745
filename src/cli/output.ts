/** Output and exit code of a command: text, or one line of JSON with `--json`; exit 0 done, 1 failed, 2 wrong use, 3 no host runs. */

import { escapeJson, escapeLine } from "../common/escape.js";
import { messageOf } from "../common/text.js";
import { DriverError } from "../driverapi/errors.js";

/** Exit codes. */
export const EXIT = { done: 0, failed: 1, wrongUse: 2, noHost: 3 } as const;

/** The result of a command. */
export interface Report {
  /** The JSON object, without `ok`. */
  readonly data: Readonly<Record<string, unknown>>;
  /** The same for people; no newline at the end. */
  readonly text: string;
  /** Present if the command failed; `data` is what it found before. */
  readonly error?: DriverError;
}

/** A terminal that shows a screen and reads keys. */
export interface Terminal {
  rows(): number;
  write(text: string): void;
  /** Gives each key to `listener`, unechoed. Returns a function that stops that. */
  keys(listener: (key: string) => void): () => void;
}

/** Where a command prints. */
export interface Streams {
  out(text: string): void;
  err(text: string): void;
  /** True if `out` is a terminal that shows colours. */
  readonly colour?: boolean;
  /** Called by a command that prints until it is ended: ends the process once nothing reads its output. */
  readonly endless?: () => Promise<void>;
  /** The terminal that the user sits at; absent where input or output is something else. */
  readonly terminal?: Terminal;
}

/** Runs a command, prints its report or error, and returns its exit code. Never throws. */
export async function runReported(json: boolean, streams: Streams, work: () => Promise<Report>): Promise<number> {
  try {
    const { data, text, error } = await work();
    const all = { ok: error === undefined, ...data, ...(error ? { error: error.toJSON() } : {}) };
    if (json) streams.out(jsonText(all));
    else if (text !== "") streams.out(`${visible(text)}\n`);
    if (error === undefined) return EXIT.done;
    if (!json) streams.err(errorText(error));
    return exitCode(error);
  } catch (error) {
    return reportError(json, streams, error);
  }
}

/** Prints an error, with `--json` as one line of the output, and returns its exit code. */
export function reportError(json: boolean, streams: Streams, error: unknown): number {
  const known = error instanceof DriverError ? error : undefined;
  if (json) {
    const message = messageOf(error);
    streams.out(jsonText({ ok: false, error: known?.toJSON() ?? { code: "ERR_INTERNAL", message } }));
  } else {
    // Any other error is a fault of the command itself, so its stack is printed.
    const told = error instanceof Error ? (error.stack ?? error.message) : String(error);
    streams.err(known ? errorText(known) : `error: ${visible(told)}\n`);
  }
  return known ? exitCode(known) : EXIT.failed;
}

function exitCode({ code }: DriverError): number {
  if (code === "ERR_NO_DAEMON") return EXIT.noHost;
  return code === "ERR_USAGE" ? EXIT.wrongUse : EXIT.failed;
}

function errorText(error: DriverError): string {
  // Escaped to one line: the message may hold a plugin's text.
  return `error ${error.code}: ${escapeLine(error.message, Number.POSITIVE_INFINITY)}\n`;
}

/** Escapes control characters in each line: the text may hold a plugin's. */
function visible(text: string): string {
  return text
    .split("\n")
    .map((line) => escapeLine(line, Number.POSITIVE_INFINITY))
    .join("\n");
}

/** On one line: the output of several commands together is still a line for each. */
function jsonText(value: unknown): string {
  return `${escapeJson(JSON.stringify(value))}\n`;
}

/** Formats rows as padded columns under headings. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [headings, ...rows];
  const widths = headings.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? "").length)));
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** Formats permissions as `log, store {"bytes":1024}`, or a dash if there are none. */
export function permissionsText(permissions: Readonly<Record<string, unknown>>): string {
  const words = Object.entries(permissions).map(([name, limits]) => {
    const plain = limits === true || Object.keys(limits as object).length === 0;
    return plain ? name : `${name} ${JSON.stringify(limits)}`;
  });
  return words.join(", ") || "-";
}
