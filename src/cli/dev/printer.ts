/** What `bulkhead dev` shows while it runs: loads, calls and the plugin's lines, as text or as lines of JSON. */
import { escapeLine } from "../../common/escape.js";
import { type Logger, pluginOutput } from "../../common/logger.js";

/** One line; `event` and the words are what the text shows. */
export interface DevLine {
  readonly event: "load" | "refused" | "log" | "call" | "host" | "note";
  readonly text: string;
  /** Further members of the JSON. */
  readonly data?: Readonly<Record<string, unknown>>;
}

/** Fields of the gateway's line for a request that it has answered. */
interface AnsweredCall {
  readonly driver: string;
  readonly method: string;
  readonly status: number;
  readonly ms: number;
  readonly refused?: string;
}

/** The host's logger, which prints what concerns an author. */
export class DevPrinter implements Logger {
  readonly #json: boolean;
  readonly #out: (text: string) => void;
  /** Lines about errors during a load: the load's own error says most of them. */
  #held: DevLine[] | undefined;
  /** The wall that was raised; undefined before. */
  wall: string | undefined;

  constructor(json: boolean, out: (text: string) => void) {
    this.#json = json;
    this.#out = out;
  }

  print({ event, text, data = {} }: DevLine): void {
    // Escaped: the text may hold a plugin's words.
    const line = escapeLine(text, Number.POSITIVE_INFINITY);
    this.#out(this.#json ? `${JSON.stringify({ event, text: line, ...data })}\n` : `${event.padEnd(8)}${line}\n`);
  }

  /** Holds lines about errors back from now on, until `release`. */
  hold(): void {
    this.#held = [];
  }

  /** Prints the lines held back, but for the one that says what `said` says. */
  release(said: string | undefined): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const line of held) if (line.text !== said) this.print(line);
  }

  debug(fields: object, message: string): void {
    const { wall } = fields as { readonly wall?: unknown };
    if (isAnswered(fields)) this.print(callLine(fields));
    else if (typeof wall === "string") this.wall = wall;
    else this.#output("debug", fields, message);
  }

  info(fields: object, message: string): void {
    this.#output("info", fields, message);
  }

  warn(fields: object, message: string): void {
    this.#problem("warn", fields, message);
  }

  error(fields: object, message: string): void {
    this.#problem("error", fields, message);
  }

  /** Prints a line of the plugin. Returns false for other lines. */
  #output(level: keyof Logger, told: object, message: string): boolean {
    const output = pluginOutput(told);
    if (output === undefined) return false;
    const { fields } = output;
    const words = fields === undefined ? message : `${message} ${JSON.stringify(fields)}`;
    const text = level === "info" ? words : `${level}: ${words}`;
    this.print({ event: "log", text, data: { level, message, ...(fields === undefined ? {} : { fields }) } });
    return true;
  }

  #problem(level: "warn" | "error", fields: object, message: string): void {
    if (this.#output(level, fields, message)) return;
    const { wall, code } = fields as { readonly wall?: unknown; readonly code?: unknown };
    if (typeof wall === "string") this.wall = wall;
    const line: DevLine = { event: "host", text: message, data: { level, ...(code === undefined ? {} : { code }) } };
    if (this.#held) this.#held.push(line);
    else this.print(line);
  }
}

function isAnswered(fields: object): fields is AnsweredCall {
  const { method, status } = fields as { readonly method?: unknown; readonly status?: unknown };
  return typeof method === "string" && typeof status === "number";
}

function callLine({ driver, method, status, ms, refused }: AnsweredCall): DevLine {
  const name = method.replace("/NetworkDriver.", "");
  const words = `${driver}  ${name}  ${status}  ${ms} ms${refused === undefined ? "" : `  ${refused}`}`;
  const data = { driver, method: name, status, ms, ...(refused === undefined ? {} : { refused }) };
  return { event: "call", text: words, data };
}
