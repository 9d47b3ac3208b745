/** Makes a plugin's text safe for a log: one line, nothing invisible, nothing a terminal or a viewer acts on. */

/**
 * Characters that are not plainly visible: controls (C0, DEL, C1: newlines and ANSI sequences among them), format characters
 * (bidi overrides and isolates, zero-width ones, tags), lone surrogates, private use and unassigned code points, U+2028/2029,
 * default-ignorable code points (Hangul fillers, variation selectors), spaces other than " ", and the blank Braille cell.
 */
const UNSAFE = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]|(?! )\p{Zs}/gu;

/** Most combining marks on one letter: an unlimited stack would cover the lines above and below. */
const STACKED = /(\p{M}{4})\p{M}+/gu;

const SHORT: ReadonlyMap<string, string> = new Map([
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
]);

/** Marks the end of a text that was cut. */
const CUT = "…";

/**
 * Returns `text` as one visible line of at most `max` UTF-16 units (at least 1). Unsafe characters become `\n`, `\r`, `\t` or `\u{…}`;
 * a longer line is cut between characters and ends in `…`. The work is bounded by `max`, not by the text's length.
 */
export function escapeLine(text: string, max: number): string {
  const head = text.length > max ? text.slice(0, max) : text;
  const cut = head.length < text.length;
  const plain = head.replace(STACKED, "$1");
  const pieces: string[] = [];
  let length = 0;
  let at = 0;
  const add = (piece: string): void => {
    pieces.push(piece);
    length += piece.length;
  };
  for (const match of plain.matchAll(UNSAFE)) {
    if (match.index > at) add(plain.slice(at, match.index));
    const [character] = match;
    add(SHORT.get(character) ?? `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
    at = match.index + character.length;
    if (length > max) break;
  }
  if (length <= max && at < plain.length) add(plain.slice(at));
  if (length <= max && !cut) return pieces.join("");
  while (length > max - CUT.length) {
    const last = pieces.pop() ?? "";
    length -= last.length;
    const room = max - CUT.length - length;
    // An escape is dropped whole: half of one would read as the plugin's own text.
    if (room > 0 && !last.startsWith("\\")) {
      const kept = last.slice(0, room);
      add(/[\ud800-\udbff]$/.test(kept) ? kept.slice(0, -1) : kept);
      break;
    }
  }
  return pieces.join("") + CUT;
}

/** Returns a JSON text of the same value in which every unsafe character is `\uXXXX`; newlines between values stay. */
export function escapeJson(json: string): string {
  return json.replaceAll(UNSAFE, (character) =>
    character === "\n"
      ? character
      : Array.from({ length: character.length }, (_, at) => {
          const unit = character.charCodeAt(at).toString(16).padStart(4, "0");
          return `\\u${unit}`;
        }).join(""),
  );
}
