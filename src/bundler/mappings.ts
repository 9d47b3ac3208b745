/**
 * Adjusts a source map's `mappings` to edits of the generated code. Within a line, each segment begins with its column, relative
 * to the segment before it; the rest of a segment refers to sources and stays.
 */
import type { Edit } from "./edits.js";

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** Returns the adjusted mappings. `edits`: sorted by offset into `code`; none removes or inserts a line break. */
export function shiftMappings(mappings: string, code: string, edits: readonly Edit[]): string {
  const lines = mappings.split(";");
  let lineStart = 0;
  let line = 0;
  for (let index = 0; index < edits.length; ) {
    const edit = edits[index];
    if (!edit) break;
    for (let end = code.indexOf("\n", lineStart); end >= 0 && end < edit.at; end = code.indexOf("\n", lineStart)) {
      lineStart = end + 1;
      line++;
    }
    const end = code.indexOf("\n", lineStart);
    const here: Edit[] = [];
    for (let next: Edit | undefined = edit; next && (end < 0 || next.at < end); next = edits[++index]) here.push(next);
    lines[line] = shiftLine(lines[line] ?? "", lineStart, here);
  }
  return lines.join(";");
}

function shiftLine(line: string, lineStart: number, edits: readonly Edit[]): string {
  if (line === "") return line;
  let column = 0;
  let shifted = 0;
  let moved = 0;
  let next = 0;
  return line
    .split(",")
    .map((segment) => {
      const [distance, length] = readNumber(segment);
      column += distance;
      for (let edit = edits[next]; edit && edit.at - lineStart < column; edit = edits[++next])
        moved += edit.insert.length - edit.remove;
      const written = writeNumber(column + moved - shifted);
      shifted = column + moved;
      return written + segment.slice(length);
    })
    .join(",");
}

/** Reads the base-64 variable-length number at the start of a segment, and its length in characters. */
function readNumber(segment: string): [value: number, length: number] {
  let value = 0;
  for (let length = 0; length < segment.length; length++) {
    const digit = DIGITS.indexOf(segment.charAt(length));
    value += (digit & 31) * 32 ** length;
    if ((digit & 32) === 0) return [value % 2 === 1 ? -Math.floor(value / 2) : value / 2, length + 1];
  }
  return [0, 0];
}

function writeNumber(value: number): string {
  let rest = value < 0 ? -value * 2 + 1 : value * 2;
  let text = "";
  do {
    const digit = rest % 32;
    rest = Math.floor(rest / 32);
    text += DIGITS.charAt(rest > 0 ? digit + 32 : digit);
  } while (rest > 0);
  return text;
}
