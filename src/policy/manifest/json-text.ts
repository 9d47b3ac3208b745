/**
 * JSON text with positions: the line and column of each key and value, for errors. Stricter than JSON.parse: duplicate keys
 * and the key `__proto__` are refused, depth and size are bounded.
 */

import { quote } from "../../common/quote.js";
import type { Json } from "../../driverapi/json.js";
import { DOCUMENT_LIMITS } from "../limits.js";

/** A position in a text; both count from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** The keys and indexes that lead to a value. */
export type JsonPath = readonly (string | number)[];

/** A text that has been read. */
export interface JsonText {
  readonly value: Json;
  /** Returns where the member or element at `path` begins; undefined if it does not exist. */
  place(path: JsonPath): Place | undefined;
}

/** Reports a mistake in the text; must throw. */
export type JsonFail = (rule: string, place: Place) => never;

const SPACE = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const STRING = /"(?:[^"\\\n\r]|\\[^\n\r])*"/y;
const WORD = /[A-Za-z_]+/y;
const WORDS: ReadonlyMap<string, Json> = new Map<string, Json>([
  ["true", true],
  ["false", false],
  ["null", null],
]);

/** Reads `text` as one JSON value; every mistake goes to `fail`. */
export function readJsonText(text: string, fail: JsonFail): JsonText {
  let at = 0;
  let nodes = 0;
  /** Offset of the value that is looked for. */
  let found: number | undefined;

  const placeOf = (offset: number): Place => {
    const before = text.slice(0, offset);
    return { line: before.split("\n").length, column: offset - before.lastIndexOf("\n") };
  };
  const stop = (rule: string, offset: number = at): never => fail(rule, placeOf(offset));
  const match = (pattern: RegExp): string => {
    pattern.lastIndex = at;
    if (!pattern.test(text)) return "";
    const start = at;
    at = pattern.lastIndex;
    return text.slice(start, at);
  };
  const skipSpace = (): void => {
    SPACE.lastIndex = at;
    SPACE.test(text);
    at = SPACE.lastIndex;
  };
  const expected = (what: string): never => {
    const there = text.charAt(at);
    if (there === "") return stop(`unexpected end of text; expected ${what}`);
    if (text.startsWith("//", at) || text.startsWith("/*", at)) return stop("JSON has no comments");
    return stop(`unexpected ${quote(there)}; expected ${what}`);
  };

  const readString = (what: string): string => {
    const start = at;
    if (text.charAt(at) !== '"') return expected(what);
    const raw = match(STRING);
    if (raw === "") return stop("unterminated string", start);
    try {
      return String(JSON.parse(raw));
    } catch {
      return stop("a string holds a bad escape or a control character", start);
    }
  };

  /**
   * Reads a value. `wanted`: the rest of the path to the value that is looked for; undefined if the path does not lead
   * through here.
   */
  const readValue = (depth: number, wanted: JsonPath | undefined): Json => {
    if (++nodes > DOCUMENT_LIMITS.nodes) return stop(`more than ${DOCUMENT_LIMITS.nodes} values`);
    if (depth > DOCUMENT_LIMITS.depth) return stop(`nested deeper than ${DOCUMENT_LIMITS.depth}`);
    const start = at;
    const first = text.charAt(at);
    if (first === "{") return readObject(depth, wanted);
    if (first === "[") return readArray(depth, wanted);
    if (first === '"') return readString("a value");
    const word = match(WORD);
    if (word !== "") {
      const value = WORDS.get(word);
      return value === undefined ? stop(`${quote(word)} is not a JSON value`, start) : value;
    }
    const digits = match(NUMBER);
    if (digits === "") return expected("a value");
    const number = Number(digits);
    return Number.isFinite(number) ? number : stop("a number is out of range", start);
  };

  /** Reads what is between brackets; `item` reads one item and gets its index. */
  const readItems = (close: string, item: (index: number) => void): void => {
    at++;
    skipSpace();
    for (let index = 0; text.charAt(at) !== close; index++) {
      item(index);
      skipSpace();
      if (text.charAt(at) === close) break;
      if (text.charAt(at) !== ",") expected(`"," or ${JSON.stringify(close)}`);
      at++;
      skipSpace();
      if (text.charAt(at) === close) stop(`trailing comma before ${JSON.stringify(close)}`);
    }
    at++;
  };

  /**
   * Returns the rest of the path after the member or element `step`, which begins at `offset`; undefined if the path does not
   * lead there.
   */
  const onward = (wanted: JsonPath | undefined, step: string | number, offset: number): JsonPath | undefined => {
    if (wanted === undefined || wanted[0] !== step) return undefined;
    if (wanted.length === 1) found = offset;
    return wanted.slice(1);
  };

  const readArray = (depth: number, wanted: JsonPath | undefined): Json => {
    const list: Json[] = [];
    readItems("]", (index) => {
      list.push(readValue(depth + 1, onward(wanted, index, at)));
    });
    return list;
  };

  const readObject = (depth: number, wanted: JsonPath | undefined): Json => {
    const members: Record<string, Json> = {};
    readItems("}", () => {
      const start = at;
      const key = readString("a key in double quotes");
      if (key === "__proto__") stop('"__proto__" is not a key here', start);
      if (Object.hasOwn(members, key)) stop(`duplicate key ${quote(key)}`, start);
      skipSpace();
      if (text.charAt(at) !== ":") expected('":" after the key');
      at++;
      skipSpace();
      members[key] = readValue(depth + 1, onward(wanted, key, start));
    });
    return members;
  };

  const readWhole = (wanted: JsonPath | undefined): Json => {
    at = text.startsWith("\uFEFF") ? 1 : 0;
    nodes = 0;
    skipSpace();
    found = wanted?.length === 0 ? at : undefined;
    const value = readValue(0, wanted);
    skipSpace();
    if (at < text.length) stop("unexpected text after the JSON value");
    return value;
  };

  return {
    value: readWhole(undefined),
    // Positions are needed only for mistakes, so the text is read again for each instead of storing them all.
    place(path) {
      readWhole(path);
      return found === undefined ? undefined : placeOf(found);
    },
  };
}
