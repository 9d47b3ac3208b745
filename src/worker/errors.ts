/** Errors across the worker's wall: a plugin's, described for the host; the host's, rebuilt for the plugin. */
import { SourceMap } from "node:module";
import { DriverError, type ErrorCode } from "../driverapi/errors.js";
import { isRuntimeSource } from "../protocol/bundle-global.js";
import { LIMITS } from "../protocol/limits.js";
import type { HostError, ThrownValue } from "../protocol/messages.js";
import { absenceHint } from "./absence-hints.js";
import { HEADER_LINES, SOURCE_URL } from "./source-url.js";

/** Describes anything a plugin throws as a `ThrownValue`. The value is hostile: each property is read once, inside a try. */
export type DescribeThrown = (value: unknown) => ThrownValue;

/** The code that a plugin runs. */
interface Bundle {
  readonly code: string;
  readonly sourceMap: string;
}

/** Creates the describer. `stackOf` reads stacks; `bundle` returns undefined until there is one. */
export function thrownDescriber(stackOf: (error: unknown) => string, bundle: () => Bundle | undefined): DescribeThrown {
  let map: SourceMap | undefined;
  /** Bounds the text of all errors of one throw together, so that it fits into one frame. */
  const describe = (value: unknown, depth: number, chars: number): ThrownValue => {
    const name = read(value, "name", chars) ?? "Error";
    const message =
      read(value, "message", chars) ??
      (typeof value === "string" ? shortened(value, chars) : `a thrown ${value === null ? "null" : typeof value}`);
    const code = read(value, "code", chars);
    const kind = read(value, "kind", chars);
    let where: { stack?: string; file?: string; line?: number } = {};
    let hint: string | undefined;
    try {
      const { code: source = "", sourceMap = "{}" } = bundle() ?? {};
      const stack = stackOf(value);
      hint = absenceHint({ name, message, stack }, source, HEADER_LINES);
      map ??= new SourceMap(JSON.parse(sourceMap));
      where = mapStack(stack, map);
    } catch {
      // A stack is optional.
    }
    return {
      name,
      message: hint === undefined ? message : `${message}; ${hint}`,
      ...(code === undefined ? {} : { code }),
      ...(kind === undefined ? {} : { kind }),
      ...where,
      ...below(value, depth, (inner) => describe(inner, depth - 1, BELOW_CHARS)),
    };
  };
  return (value) => describe(value, LIMITS.thrownDepth, CHARS);
}

/** Describes `cause` and `errors`, each read once; `errors` counts only if it is a genuine array. */
function below(
  value: unknown,
  depth: number,
  describe: DescribeThrown,
): { readonly cause?: ThrownValue; readonly errors?: readonly ThrownValue[] } {
  if (depth === 0 || typeof value !== "object" || value === null) return {};
  try {
    const { cause, errors } = value as { readonly cause?: unknown; readonly errors?: unknown };
    const side: ThrownValue[] = [];
    if (depth === LIMITS.thrownDepth && Array.isArray(errors))
      for (let index = 0; index < Math.min(errors.length, LIMITS.thrownErrors); index++)
        side.push(describe(errors[index]));
    return {
      ...(cause === undefined || cause === null ? {} : { cause: describe(cause) }),
      ...(side.length === 0 ? {} : { errors: side }),
    };
  } catch {
    return {};
  }
}

/** A longer text is described by its length: taking a slice of it may cost its whole length in memory, which aborts V8. */
const LONGEST = 1 << 20;

/** Characters kept of each text of an error, and of each text of the errors below it. */
const CHARS = 8192;
const BELOW_CHARS = 1024;

function read(value: unknown, key: string, chars: number): string | undefined {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return undefined;
  try {
    const found = (value as Record<string, unknown>)[key];
    return typeof found === "string" ? shortened(found, chars) : undefined;
  } catch {
    return undefined;
  }
}

function shortened(text: string, chars: number): string {
  return text.length > LONGEST ? `[text of ${text.length} characters]` : text.slice(0, chars);
}

/** Keeps the frames of the bundle, mapped to their sources. `file` and `line`: the first that is the author's, if any is. */
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
    if (first === undefined || (isRuntimeSource(first.file) && !isRuntimeSource(file))) first = { file, line: at };
    frames.push(`    at ${found[1] ? `${found[1]} ` : ""}(${file}:${at}:${entry.originalColumn + 1})`);
  }
  return first ? { stack: frames.join("\n"), ...first } : {};
}

/** Rebuilds the host's error as a plain Error of the plugin's realm, with `code` and `kind`. */
export function rebuildError(error: HostError): Error {
  return Object.assign(new Error(error.message), { code: error.code, kind: error.kind });
}

/** Runs runtime code for a plugin: its errors reach the plugin as plain Errors, never as objects of ours. */
export function guarded<T>(body: () => T): T {
  try {
    return body();
  } catch (error) {
    if (error instanceof DriverError) throw rebuildError(error);
    throw new Error("the runtime failed here");
  }
}

/** Creates an error of ours for the plugin: a plain Error with a code of the table, and its kind. */
export function refusal(code: ErrorCode, message: string): Error & { readonly code: ErrorCode } {
  const { kind } = new DriverError(code, message);
  return Object.assign(new Error(message), { code, kind });
}
