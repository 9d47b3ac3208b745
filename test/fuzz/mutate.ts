/**
 * Changes to a valid text: of its bytes (flipped, exchanged, cut, doubled, spliced with another's), and of its JSON tokens
 * (values at their edges, keys, nesting, repetition), so that many of the results still parse and reach validation.
 */
import type { Random } from "./random.js";
import { BROKEN, COUNTS, MANY, VALUES } from "./words.js";

interface Token {
  readonly from: number;
  readonly to: number;
  readonly text: string;
  /** A string before a colon. */
  readonly key: boolean;
  /** Begins a value that stands behind a key. */
  readonly member: boolean;
}

interface Tokens {
  readonly all: readonly Token[];
  readonly keys: readonly Token[];
  /** Indexes of those that begin a value. */
  readonly values: readonly number[];
}

const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|[a-z]+|[{}[\],:]/g;
const MARK = /^[,:\]}]$/;
const remembered = new Map<string, Tokens>();

/** `keep`: a text of the corpus, which comes again and again. */
function tokens(text: string, keep: boolean): Tokens {
  const known = remembered.get(text);
  if (known) return known;
  const all: Token[] = [];
  for (const { 0: word, index: from } of text.matchAll(TOKEN)) {
    const to = from + word.length;
    const key = word.startsWith('"') && /^\s*:/.test(text.slice(to, to + 8));
    all.push({ from, to, text: word, key, member: all.at(-1)?.text === ":" });
  }
  const values = all.flatMap((token, at) => (token.key || MARK.test(token.text) ? [] : [at]));
  const found = { all, keys: all.filter(({ key }) => key), values };
  if (keep) remembered.set(text, found);
  return found;
}

/** A mutation of `text`: one to four changes, at most `most` characters. `others`: valid texts of the same kind. */
export function mutate(text: string, random: Random, others: readonly string[], most: number): string {
  let changed = text;
  for (let left = 1 + (random.oneIn(2) ? 0 : random.below(4)); left > 0; left--) {
    if (random.below(100) < 82 && changed.length < 16_384)
      changed = changeToken(changed, changed === text, random, others, most);
    else changed = changeBytes(changed, random, others, most);
  }
  return changed.length > most ? changed.slice(0, most) : changed;
}

type Put = (by: string, from?: number, to?: number) => string;

function changeToken(text: string, keep: boolean, random: Random, others: readonly string[], most: number): string {
  const { all, keys, values } = tokens(text, keep);
  if (values.length === 0) return text + random.pick(VALUES);
  const way = random.below(100);
  if (way < 7) return changeMark(text, random.pick(all), random);
  if (way < 30 && keys.length > 0) return changeKey(text, random.pick(keys), keys, random, others);
  const at = random.pick(values);
  const token = all[at] as Token;
  const end = all[lastOf(all, at)] as Token;
  const put: Put = (by, from = token.from, to = end.to) => text.slice(0, from) + by + text.slice(to);
  const part = text.slice(token.from, end.to);
  switch (random.below(9)) {
    case 0:
      return removed(text, all, at);
    case 1:
      return put(repeated(part, token.member, random, most));
    case 2: {
      const count = random.pick(random.oneIn(200) ? MANY : COUNTS);
      const [open, close] = random.oneIn(2) ? ["[", "]"] : ['{"a":', "}"];
      return put(open.repeat(count) + part + close.repeat(count));
    }
    case 3: {
      const other = random.pick(others);
      const list = tokens(other, true);
      if (list.values.length === 0) return text;
      const from = random.pick(list.values);
      return put(other.slice(list.all[from]?.from, list.all[lastOf(list.all, from)]?.to));
    }
    case 4:
      return put(random.oneIn(4) ? random.pick(BROKEN) : near(part, random));
    default:
      return put(random.pick(VALUES));
  }
}

/** Without the value that begins at `at`, its key and one comma beside it. */
function removed(text: string, all: readonly Token[], at: number): string {
  const last = lastOf(all, at);
  const first = all[at]?.member ? at - 2 : at;
  const after = all[last + 1]?.text === ",";
  const before = !after && all[first - 1]?.text === ",";
  const from = all[before ? first - 1 : Math.max(0, first)];
  const to = all[after ? last + 1 : last];
  return from && to ? text.slice(0, from.from) + text.slice(to.to) : text;
}

/** The value's own kind, a little different. */
function near(part: string, random: Random): string {
  if (/^-?\d/.test(part)) return String(Number(part) + random.pick([-1, 1, 0.5, 2 ** 31, -(2 ** 31), 2 ** 53]));
  if (part.startsWith('"')) {
    const place = part.length < 3 ? 1 : 1 + random.below(part.length - 2);
    const put = random.pick(["a", "0", ".", "/", ":", "\\u0000", "\\ud800", "-", "%", " "]);
    return part.slice(0, place) + put + part.slice(place + random.below(2));
  }
  if (part.startsWith("[")) return random.oneIn(2) ? "[]" : `{"0":${part}}`;
  return part.startsWith("{") ? `[${part}]` : '"true"';
}

function changeKey(
  text: string,
  token: Token,
  keys: readonly Token[],
  random: Random,
  others: readonly string[],
): string {
  const put = (by: string): string => text.slice(0, token.from) + by + text.slice(token.to);
  switch (random.below(5)) {
    case 0:
      return put(random.pick(VALUES.filter((value) => value.startsWith('"'))));
    case 1:
      return put(`${random.pick(keys).text}:${random.pick(VALUES)},${token.text}`);
    case 2: {
      const found = tokens(random.pick(others), true).keys;
      return put(found.length === 0 ? '"x"' : random.pick(found).text);
    }
    case 3:
      return put(`"__proto__":${random.pick(VALUES)},${token.text}`);
    default:
      return put(near(token.text, random));
  }
}

/** Commas, colons and brackets: taken away, doubled, exchanged, or with space around them. */
function changeMark(text: string, token: Token, random: Random): string {
  const space = [` ${token.text}\n`, `\t${token.text}\r`];
  const by = random.pick(["", token.text + token.text, ",", ":", "]", "}", "[", "{", ...space, random.pick(BROKEN)]);
  return text.slice(0, token.from) + by + text.slice(token.to);
}

/** One element many times, or an object with many members. */
function repeated(part: string, member: boolean, random: Random, most: number): string {
  const count = Math.min(random.pick(random.oneIn(100) ? MANY : COUNTS), Math.floor(most / (part.length + 8)));
  const members = (): string => Array.from({ length: count }, (_, i) => `"k${i}":${part}`).join();
  if (random.oneIn(3)) return `{${members()}}`;
  if (member && random.oneIn(2)) return `${part},${members()}`;
  const list = Array.from({ length: count }, () => part).join();
  return member || random.oneIn(2) ? `[${list}]` : list;
}

/** Index of the token that ends the value beginning at `at`. */
function lastOf(all: readonly Token[], at: number): number {
  let depth = 0;
  for (let i = at; i < all.length; i++) {
    const text = all[i]?.text;
    if (text === "{" || text === "[") depth++;
    else if (text === "}" || text === "]") depth--;
    if (depth <= 0) return i;
  }
  return all.length - 1;
}

/** As bytes of UTF-8: what is not a character any more becomes U+FFFD, as a decoder would make it. */
function changeBytes(text: string, random: Random, others: readonly string[], most: number): string {
  if (random.oneIn(8)) {
    // A unit that no decoder gives, as a message port may.
    const at = random.below(text.length + 1);
    return text.slice(0, at) + String.fromCharCode(0xd800 + random.below(0x800)) + text.slice(at);
  }
  return changeBuffer(
    Buffer.from(text),
    random,
    others.length === 0 ? [] : [Buffer.from(random.pick(others))],
    most,
  ).toString();
}

/** The same of bytes that are no text. */
export function changeBuffer(bytes: Buffer, random: Random, others: readonly Buffer[], most: number): Buffer {
  const at = random.below(bytes.length + 1);
  const to = Math.min(bytes.length, at + 1 + random.below(random.oneIn(4) ? bytes.length : 8));
  const [head, part, tail] = [bytes.subarray(0, at), bytes.subarray(at, to), bytes.subarray(to)];
  switch (random.below(8)) {
    case 0: {
      const copy = Buffer.from(bytes);
      for (let n = 1 + random.below(4); n > 0 && copy.length > 0; n--) {
        const place = random.below(copy.length);
        copy[place] = (copy[place] ?? 0) ^ (1 << random.below(8));
      }
      return copy;
    }
    case 1:
      return Buffer.concat([head, Buffer.from([random.below(256)]), tail]);
    case 2:
      return head;
    case 3:
      return Buffer.concat([head, part, part, tail]);
    case 4:
      return Buffer.concat([head, tail]);
    case 5: {
      const other = others.length === 0 ? bytes : random.pick(others);
      return Buffer.concat([head, other.subarray(random.below(other.length))]);
    }
    case 6: {
      if (!random.oneIn(20) || part.length === 0) return Buffer.concat([head, Buffer.from(random.pick(VALUES)), tail]);
      const times = Math.floor(Math.min(most, random.oneIn(10) ? most : 4096) / part.length);
      return Buffer.concat([head, ...Array.from({ length: times }, () => part), tail]);
    }
    default:
      return Buffer.concat([
        head,
        Buffer.from(Array.from({ length: 1 + random.below(8) }, () => random.below(256))),
        tail,
      ]);
  }
}
