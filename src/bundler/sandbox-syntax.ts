/** Makes a bundle's code acceptable to SES, or reports where in the author's sources it is not. */

import { SourceMap, type SourceMapPayload } from "node:module";
import { Script } from "node:vm";
import { parse } from "acorn";
import { messageOf } from "../common/text.js";
import { applyEdits } from "./edits.js";
import { shiftMappings } from "./mappings.js";
import { SIMPLER } from "./messages.js";
import { BundleRefusal, type SourcePosition } from "./refusal.js";
import { type Obstacle, rewriteForSes, type SesRewrite } from "./ses-rewrite.js";

/** A script and the map that leads from it to the author's files. */
export interface MappedCode {
  readonly code: string;
  readonly sourceMap: string;
}

/** As the sandbox evaluates it: strict, within a function. */
const STRICT_OPEN = '"use strict";(function(){';

/** Rewrites code that SES would wrongly refuse. Throws `ERR_PLUGIN_SYNTAX` for code it rightly refuses, and for sloppy-mode code. */
export function fitForSandbox({ code, sourceMap }: MappedCode): MappedCode {
  const payload = JSON.parse(sourceMap) as SourceMapPayload;
  assertStrict(code, payload);
  const rewrite = rewritten(code, payload);
  if ("obstacle" in rewrite) {
    const { at, below } = rewrite.obstacle;
    const place = authorsPlace(code, at, payload);
    const exact = place && below > 0 ? { file: place.file, line: (place.line ?? 1) + below } : place;
    throw new BundleRefusal("ERR_PLUGIN_SYNTAX", messageFor(rewrite.obstacle), exact);
  }
  const mappings = shiftMappings(payload.mappings, code, rewrite.edits);
  const { sources, names } = payload;
  return { code: applyEdits(code, rewrite.edits), sourceMap: JSON.stringify({ version: 3, sources, names, mappings }) };
}

function rewritten(code: string, payload: SourceMapPayload): SesRewrite {
  try {
    return rewriteForSes(code, (at) => /(?:^|\/)node_modules\//.test(authorsPlace(code, at, payload)?.file ?? ""));
  } catch (error) {
    // V8 accepts the code, but its syntax is newer than the parser's.
    if (!(error instanceof SyntaxError)) throw error;
    const at: unknown = Reflect.get(error, "pos");
    throw new BundleRefusal(
      "ERR_PLUGIN_SYNTAX",
      `${error.message.replace(/ \(\d+:\d+\)$/, "")}; write it without syntax this new`,
      authorsPlace(code, typeof at === "number" ? at : undefined, payload),
    );
  }
}

/** Checks the code in strict mode, which esbuild does not. V8 only compiles it; nothing runs. */
function assertStrict(code: string, payload: SourceMapPayload): void {
  try {
    new Script(`${STRICT_OPEN}${code}\n})`);
    return;
  } catch (error) {
    if (error instanceof RangeError) {
      throw new BundleRefusal("ERR_PLUGIN_SYNTAX", `the code is nested too deeply; ${SIMPLER}`);
    }
    const text = messageOf(error);
    throw new BundleRefusal(
      "ERR_PLUGIN_SYNTAX",
      `${text}; the sandbox runs all code in strict mode`,
      authorsPlace(code, strictErrorAt(code), payload),
    );
  }
}

/** Finds the offset of the error, which V8 does not report. */
function strictErrorAt(code: string): number | undefined {
  try {
    parse(`${STRICT_OPEN}${code}\n})`, { ecmaVersion: "latest", sourceType: "script" });
    return undefined;
  } catch (error) {
    const at =
      Number(typeof error === "object" && error !== null ? Reflect.get(error, "pos") : undefined) - STRICT_OPEN.length;
    return at >= 0 && at <= code.length ? at : undefined;
  }
}

function messageFor({ what, text }: Obstacle): string {
  if (what === "import")
    return "import() of a computed path cannot run in the sandbox; import it at the top, or with a fixed path";
  if (what === "phase")
    return "import.source() and import.defer() cannot run in the sandbox; import it at the top, or with a fixed path";
  if (what === "eval") return "eval() cannot run in the sandbox; write the code out";
  const seen = text === "import" || text === "eval" ? `${text}(` : text;
  return `a tagged template holds ${seen}, which the sandbox refuses; use a plain template, or insert it with \${"…"}`;
}

function authorsPlace(code: string, at: number | undefined, payload: SourceMapPayload): SourcePosition | undefined {
  if (at === undefined) return undefined;
  const lineStart = code.lastIndexOf("\n", at - 1) + 1;
  const line = code.slice(0, lineStart).split("\n").length - 1;
  const entry = new SourceMap(payload).findEntry(line, at - lineStart);
  if (!("originalSource" in entry)) return undefined;
  return { file: entry.originalSource, line: entry.originalLine + 1, column: entry.originalColumn + 1 };
}
