/** Where a function of a profile is: in the author's file, in Node, or in the runtime. No path of this machine stays in it. */
import { SourceMap, type SourceMapPayload } from "node:module";
import { escapeLine } from "../common/escape.js";
import { z } from "../common/zod.js";
import { HEADER_LINES, SOURCE_URL } from "../worker/source-url.js";
import { PROFILE } from "./limits.js";

/** A function as V8 names it; lines and columns count from 0, and -1 is unknown. */
export interface Frame {
  readonly functionName: string;
  readonly url: string;
  readonly lineNumber: number;
  readonly columnNumber: number;
}

const position = z.int().min(-1).max(2_147_483_647);

export const frame: z.ZodType<Frame> = z.object({
  functionName: z.string(),
  url: z.string(),
  lineNumber: position,
  columnNumber: position,
});

/** Returns true for the plugin's bundle. A heap profile does not name evaluated scripts, so an unnamed one counts as the bundle. */
const isBundle = (url: string, line: number): boolean => url === SOURCE_URL || (url === "" && line >= HEADER_LINES);

/** URLs of Node's own modules; any other URL without a place in the author's files is reported as `bulkhead:runtime`. */
const NODE_MODULE = /^node:[\w/]{1,100}$/;

export class Frames {
  readonly #map: SourceMap;
  readonly #ids = new Map<string, string>();

  /** `sourceMap`: of the plugin's bundle, as JSON. */
  constructor(sourceMap: string) {
    this.#map = new SourceMap(JSON.parse(sourceMap) as SourceMapPayload);
  }

  /** Returns a function's place in the author's files, or its place in Node without a path; `scriptId` stands for its file. */
  placed({ functionName, url, lineNumber, columnNumber }: Frame): Frame & { readonly scriptId: string } {
    const name = escapeLine(functionName, PROFILE.nameChars);
    const place = isBundle(url, lineNumber) ? this.#author(lineNumber, columnNumber) : undefined;
    const file = place?.file ?? (NODE_MODULE.test(url) ? url : url === "" ? "" : "bulkhead:runtime");
    const known = place ?? (NODE_MODULE.test(url) ? { line: lineNumber, column: columnNumber } : undefined);
    return {
      functionName: name,
      scriptId: this.#idOf(file),
      url: file,
      lineNumber: known?.line ?? -1,
      columnNumber: known?.column ?? -1,
    };
  }

  /** Returns the author's line, from 0, of a line of the bundle's script; undefined if it has none. */
  line(url: string, line: number): number | undefined {
    return url === SOURCE_URL ? this.#author(line, Number.MAX_SAFE_INTEGER)?.line : undefined;
  }

  #author(line: number, column: number): { file: string; line: number; column: number } | undefined {
    if (line < HEADER_LINES || column < 0) return undefined;
    const entry = this.#map.findEntry(line - HEADER_LINES, column);
    if (!("originalSource" in entry) || !entry.originalSource) return undefined;
    return { file: relative(entry.originalSource), line: entry.originalLine, column: entry.originalColumn };
  }

  #idOf(file: string): string {
    const id = this.#ids.get(file) ?? String(file === "" ? 0 : this.#ids.size + 1);
    this.#ids.set(file, id);
    return id;
  }
}

/** Returns a source's path in the plugin's folder; of one outside, what follows `node_modules/`, or its name alone. */
function relative(source: string): string {
  const outside = /^(?:[a-z]+:|\/)|(?:^|\/)\.\.(?:\/|$)/i.test(source);
  const at = source.lastIndexOf("node_modules/");
  const path = !outside ? source : source.slice(at >= 0 ? at : source.lastIndexOf("/") + 1);
  return escapeLine(path, PROFILE.fileChars);
}
