/** Reads a manifest or a policy: text or object in, checked value out, or one error that names file, line, path and rule. */
import type { z } from "zod";
import { DriverError, type ErrorCode } from "../../driverapi/errors.js";
import { copyJson, type Json, JsonError } from "../../driverapi/json.js";
import { DOCUMENT_LIMITS } from "../limits.js";
import { explain, type Mistake, pathText } from "./explain.js";
import { type Place, readJsonText } from "./json-text.js";

/** The kind of document being read, and how its errors look. */
export interface DocumentKind<T> {
  readonly code: ErrorCode;
  readonly schema: z.ZodType<T>;
  readonly maxBytes: number;
  /** The document's name in errors: a path, or words such as `the policy object`. */
  readonly file: string;
  readonly plugin?: string | undefined;
}

/** Mistakes that one error spells out at most. */
const SPELLED_OUT = 3;

/** Parses and checks `text`. Throws `kind.code` with `FILE:LINE:COLUMN: path: rule`. */
export function parseDocumentText<T>(text: string, kind: DocumentKind<T>): T {
  const bytes = Buffer.byteLength(text);
  if (bytes > kind.maxBytes) throw failure(kind, `is ${bytes} bytes long; at most ${kind.maxBytes} are read`);
  const read = readJsonText(text, (rule, place) => {
    throw failure(kind, rule, place);
  });
  return check(read.value, kind, (mistake) => read.place(mistake.path) ?? read.place(mistake.path.slice(0, -1)));
}

/** Copies and checks an object. Throws `kind.code` with `FILE: path: rule`. */
export function parseDocumentValue<T>(value: unknown, kind: DocumentKind<T>): T {
  let plain: Json;
  try {
    plain = copyJson(value, { depth: DOCUMENT_LIMITS.depth, nodes: DOCUMENT_LIMITS.nodes, chars: kind.maxBytes });
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    throw failure(kind, `${error.path === "" ? "" : `${error.path.replace(/^\./, "")}: `}${error.rule}`);
  }
  return check(plain, kind, () => undefined);
}

/** Returns the error for the mistake `rule` at `place` of the document. */
export function failure(
  kind: Pick<DocumentKind<unknown>, "code" | "file" | "plugin">,
  rule: string,
  place?: Place,
): DriverError {
  const where = place ? `${kind.file}:${place.line}:${place.column}` : kind.file;
  return new DriverError(kind.code, `${where}: ${rule}`, { plugin: kind.plugin, file: kind.file, line: place?.line });
}

function check<T>(value: Json, kind: DocumentKind<T>, place: (mistake: Mistake) => Place | undefined): T {
  const result = kind.schema.safeParse(value);
  if (result.success) return result.data;
  const { mistakes, count } = explain(result.error.issues, value, kind.schema, SPELLED_OUT);
  const [first] = mistakes;
  const texts = mistakes.map(({ path, rule }) => (path.length ? `${pathText(path)}: ${rule}` : `the document ${rule}`));
  const more = count > SPELLED_OUT ? `; and ${count - SPELLED_OUT} more` : "";
  throw failure(kind, texts.join("; ") + more, first && place(first));
}
