/** Shows a value that may be hostile in an error message: short, on one line, without calling its code. */

/** Longest piece of a string that is shown, in UTF-16 units. */
const SHOWN = 60;

/** Controls, line separators and format characters (bidi overrides among them): they would forge a log line. */
const UNSEEN = /[\u007f-\u009f]|[\p{Cf}\p{Zl}\p{Zp}]/gu;

/** Returns `value` for a message: a string JSON-quoted and shortened, a number as it is, anything else by its type alone. */
export function quote(value: unknown): string {
  switch (typeof value) {
    case "string":
      return quoteText(value);
    case "number":
    case "boolean":
    case "undefined":
      return String(value);
    case "object":
      return value === null ? "null" : "an object";
    default:
      return `a ${typeof value}`;
  }
}

function quoteText(text: string): string {
  const head = JSON.stringify(text.slice(0, SHOWN)).replace(UNSEEN, escapeUnit);
  return text.length > SHOWN ? `${head}… (${text.length} characters)` : head;
}

function escapeUnit(character: string): string {
  let escaped = "";
  for (let i = 0; i < character.length; i++) escaped += `\\u${character.charCodeAt(i).toString(16).padStart(4, "0")}`;
  return escaped;
}
