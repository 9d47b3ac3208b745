/** Output of the commands that ask a running host: rows for people, or a line of JSON for each thing. */
import { escapeJson, escapeLine } from "../../common/escape.js";
import { type Colour, paint } from "../../control/table/columns.js";
import { EXIT, reportError, type Streams } from "../output.js";

/** What a command prints on, in its user's form. */
export class Printer {
  readonly #streams: Streams;
  readonly json: boolean;
  /** The command's exit code, if it does not reject. */
  exit: number = EXIT.done;

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

  /** Called before output that has no end (`Streams.endless`). */
  async endless(): Promise<void> {
    await this.#streams.endless?.();
  }

  /** True on a terminal that shows colours. */
  get coloured(): boolean {
    return this.#streams.colour === true;
  }

  /** Colours a word, on a terminal alone. */
  paint(colour: Colour, text: string): string {
    return paint(this.coloured, colour, text);
  }
}

/** Makes a text of a plugin one line that no terminal acts on. */
export function safe(text: string, max: number = Number.POSITIVE_INFINITY): string {
  return escapeLine(text, max);
}

/** Returns a value as JSON that no terminal acts on. */
export function safeJson(value: unknown, indent?: number): string {
  return escapeJson(JSON.stringify(value, undefined, indent));
}

/** Runs a command and returns its exit code. Never throws. */
export async function runPrinted(
  streams: Streams,
  json: boolean,
  work: (printer: Printer) => Promise<void>,
): Promise<number> {
  try {
    const printer = new Printer(streams, json);
    await work(printer);
    return printer.exit;
  } catch (error) {
    return reportError(json, streams, error);
  }
}
