/** `atob` and `btoa`, as in the HTML standard; at most 16 Mi characters a call. */
import { GLOBALS } from "../limits.js";
import { textOf } from "../refusal.js";
import { DOMException } from "./abort.js";

export function btoa(data: unknown): string {
  const text = textOf(data, "btoa: the text", GLOBALS.textChars);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: every character up to 0xff is one byte.
  if (/[^\u0000-\u00ff]/.test(text))
    throw new DOMException("btoa: the text has characters above 0xff", "InvalidCharacterError");
  return Buffer.from(text, "latin1").toString("base64");
}

export function atob(data: unknown): string {
  const given = textOf(data, "atob: the text", GLOBALS.textChars).replace(/[\t\n\f\r ]/g, "");
  const text = given.length % 4 === 0 ? given.replace(/==?$/, "") : given;
  if (text.length % 4 === 1 || /[^A-Za-z0-9+/]/.test(text))
    throw new DOMException("atob: the text is not base64", "InvalidCharacterError");
  return Buffer.from(text, "base64").toString("latin1");
}
