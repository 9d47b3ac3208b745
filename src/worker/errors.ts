/** Errors crossing the worker's wall: a plugin's, described for the host; the host's, rebuilt for the plugin. */
import { SourceMap } from "node:module";
import { DriverError, type ErrorCode } from "../driverapi/errors.js";
import type { HostError, ThrownValue } from "../protocol/messages.js";
import { absentWords } from "./absent.js";
import { SOURCE_URL } from "./source-url.js";

/** Lines ahead of the bundle's first one in what is evaluated. */
const HEADER_LINES = 1;

/** Makes a `ThrownValue` of whatever a plugin threw. The value is hostile: each property is read once, inside a try. */
export type DescribeThrown = (value: unknown) => ThrownValue;

/** What a plugin runs. */
interface Bundle {
  readonly code: string;
  readonly sourceMap: string;
}

/** `stackOf` reads stacks; `bundle` is undefined until there is one. */
export function thrownDescriber(stackOf: (error: unknown) => string, bundle: () => Bundle | undefined): DescribeThrown {
  let map: SourceMap | undefined;
  return (value) => {
    const name = read(value, "name") ?? "Error";
    const message =
      read(value, "message") ??
      (typeof value === "string" ? shortened(value) : `a thrown ${value === null ? "null" : typeof value}`);
    const code = read(value, "code");
    const kind = read(value, "kind");
    let where: { stack?: string; file?: string; line?: number } = {};
    let hint: string | undefined;
    try {
      const { code: source = "", sourceMap = "{}" } = bundle() ?? {};
      const stack = stackOf(value);
      hint = absentWords({ name, message, stack }, source, HEADER_LINES);
      map ??= new SourceMap(JSON.parse(sourceMap));
      where = mapStack(stack, map);
    } catch {
      // A stack is a courtesy.
    }
    return {
      name,
      message: hint === undefined ? message : `${message}; ${hint}`,
      ...(code === undefined ? {} : { code }),
      ...(kind === undefined ? {} : { kind }),
      ...where,
    };
  };
}

/** A text longer than this is named by its length: taking a piece of it may cost its whole length in memory, which aborts V8. */
const LONGEST = 1 << 20;

function read(value: unknown, key: string): string | undefined {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return undefined;
  try {
    const found = (value as Record<string, unknown>)[key];
    return typeof found === "string" ? shortened(found) : undefined;
  } catch {
    return undefined;
  }
}

function shortened(text: string): string {
  return text.length > LONGEST ? `[text of ${text.length} characters]` : text.slice(0, 8192);
}

/** Keeps the frames of the plugin's own code, in its author's files and lines. */
function mapStack(stack: string, map: SourceMap): { stack?: string; file?: string; line?: number } {
  const frames: string[] = [];
  let first: { file: string; line: number } | undefined;
  for (const line of stack.split("\n", 200)) {
    const found = new RegExp(`(?:at (.*?) )?\\(?${SOURCE_URL}:(\\d+):(\\d+)\\)?`).exec(line);
    if (!found) continue;
    const entry = map.findEntry(Number(found[2]) - 1 - HEADER_LINES, Number(found[3]) - 1);
    if (!("originalSource" in entry) || !entry.originalSource) continue;
    const file = entry.originalSource;
    const at = entry.originalLine + 1;
    first ??= { file, line: at };
    frames.push(`    at ${found[1] ? `${found[1]} ` : ""}(${file}:${at}:${entry.originalColumn + 1})`);
  }
  return first ? { stack: frames.join("\n"), ...first } : {};
}

/** The host's error as a plain Error of the plugin's realm, with `code` and `kind`. */
export function rebuildError(error: HostError): Error {
  return Object.assign(new Error(error.message), { code: error.code, kind: error.kind });
}

/** Runs the runtime's code for a plugin: what it throws reaches the plugin as a plain Error, never as an object of ours. */
export function guarded<T>(body: () => T): T {
  try {
    return body();
  } catch (error) {
    if (error instanceof DriverError) throw rebuildError(error);
    throw new Error("the runtime failed here");
  }
}

/** An error of ours for the plugin: a plain Error with a code of the table, and its kind. */
export function refusal(code: ErrorCode, message: string): Error & { readonly code: ErrorCode } {
  const { kind } = new DriverError(code, message);
  return Object.assign(new Error(message), { code, kind });
}
