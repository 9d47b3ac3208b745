/** Output of the commands that ask a running host: rows for people, or a line of JSON for each thing. */
import { escapeJson, escapeLine } from "../../common/escape.js";
import { messageOf } from "../../common/text.js";
import { DriverError } from "../../driverapi/errors.js";
import { EXIT, exitCode, reportError, type Streams } from "../output.js";

/** What a command prints on, in its user's form. */
export class Printer {
  readonly #streams: Streams;
  readonly json: boolean;

  constructor(streams: Streams, json: boolean) {
    this.#streams = streams;
    this.json = json;
  }

  /** Prints each value as a line of JSON, or `text` for people; an empty `text` prints nothing. A plugin's words in `text` must be escaped. */
  print(values: Iterable<object>, text: string): void {
    if (this.json) for (const value of values) this.#streams.out(`${safeJson(value)}\n`);
    else if (text !== "") this.#streams.out(`${text}\n`);
  }

  /** Tells people something beside the output. */
  note(text: string): void {
    if (!this.json) this.#streams.err(`${text}\n`);
  }

  /** Colours a word, on a terminal alone. */
  paint(colour: Colour, text: string): string {
    return this.#streams.colour === true && colour !== "plain" ? `\u001b[${CODES[colour]}m${text}\u001b[0m` : text;
  }
}

const CODES = { green: 32, yellow: 33, red: 31, faint: 2, bold: 1 } as const;
export type Colour = keyof typeof CODES | "plain";

/** The colour of each state; others are plain. */
const STATES: Readonly<Record<string, Colour>> = {
  running: "green",
  loading: "yellow",
  restarting: "yellow",
  orphaned: "yellow",
  "awaiting-grant": "yellow",
  unavailable: "red",
  refused: "red",
  quarantined: "red",
  stopped: "faint",
};

export function stateColour(state: string): Colour {
  return STATES[state] ?? "plain";
}

/** Longest cell of a table, in UTF-16 units. */
const CELL = 80;

/** Makes a text of a plugin one line that no terminal acts on. */
export function safe(text: string, max: number = Number.POSITIVE_INFINITY): string {
  return escapeLine(text, max);
}

/** Returns a value as JSON that no terminal acts on. */
export function safeJson(value: unknown, indent?: number): string {
  return escapeJson(JSON.stringify(value, undefined, indent));
}

/** A cell: its text, escaped and cut, and its colour. */
export interface Cell {
  readonly text: string;
  readonly colour: Colour;
}

export function cell(value: string | number | null | undefined, colour: Colour = "plain"): Cell {
  return { text: value === null || value === undefined || value === "" ? "-" : safe(String(value), CELL), colour };
}

/** Formats rows as columns under headings; colours do not count as width. */
export function columns(printer: Printer, headings: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const lines = [headings.map((text): Cell => ({ text, colour: "bold" })), ...rows];
  const widths = headings.map((_, column) => Math.max(...lines.map((line) => line[column]?.text.length ?? 0)));
  return lines
    .map((line) =>
      line
        .map(({ text, colour }, column) => {
          const pad = column === line.length - 1 ? "" : " ".repeat((widths[column] ?? 0) - text.length);
          return `${printer.paint(colour, text)}${pad}`;
        })
        .join("  "),
    )
    .join("\n");
}

/** Runs a command and returns its exit code. Never throws. With `--json`, an error is one line too. */
export async function runPrinted(
  streams: Streams,
  json: boolean,
  work: (printer: Printer) => Promise<void>,
): Promise<number> {
  try {
    await work(new Printer(streams, json));
    return EXIT.done;
  } catch (error) {
    if (!json) return reportError(false, streams, error);
    const known = error instanceof DriverError ? error : new DriverError("ERR_INTERNAL", messageOf(error));
    streams.out(`${safeJson({ ok: false, error: known.toJSON() })}\n`);
    return exitCode(known);
  }
}
