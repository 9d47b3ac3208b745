/** URL and URLSearchParams over Node's, whose objects, with their symbols and inspect hooks, stay in private fields. */
import { URLSearchParams as NativeParams, URL as NativeURL } from "node:url";
import { types } from "node:util";
import { GLOBALS } from "../limits.js";
import { kindOf, textOf, wrongArgument } from "../refusal.js";

const MAX = GLOBALS.urlChars;
const part = (value: unknown, what: string): string => textOf(value, what, MAX);

let wrapParams: (native: NativeParams) => URLSearchParams;
let hrefOf: (value: object) => string | undefined;
let nativeParams: (value: unknown) => NativeParams | undefined;

/** As in the URL standard; made from a string, a record or Map of primitives, a list of pairs, or another URLSearchParams. */
export class URLSearchParams {
  #native: NativeParams;

  constructor(init: unknown = "") {
    this.#native = nativeParams(init) === undefined ? paramsFrom(init) : new NativeParams(nativeParams(init));
  }

  static {
    wrapParams = (native) => {
      const params = new URLSearchParams();
      params.#native = native;
      return params;
    };
    nativeParams = (value) =>
      typeof value === "object" && value !== null && #native in value ? value.#native : undefined;
  }

  get size(): number {
    return this.#native.size;
  }

  append(name: unknown, value: unknown): void {
    this.#native.append(part(name, "the name"), part(value, "the value"));
  }

  delete(name: unknown, value?: unknown): void {
    if (value === undefined) this.#native.delete(part(name, "the name"));
    else this.#native.delete(part(name, "the name"), part(value, "the value"));
  }

  get(name: unknown): string | null {
    return this.#native.get(part(name, "the name"));
  }

  getAll(name: unknown): string[] {
    return [...this.#native.getAll(part(name, "the name"))];
  }

  has(name: unknown, value?: unknown): boolean {
    if (value === undefined) return this.#native.has(part(name, "the name"));
    return this.#native.has(part(name, "the name"), part(value, "the value"));
  }

  set(name: unknown, value: unknown): void {
    this.#native.set(part(name, "the name"), part(value, "the value"));
  }

  sort(): void {
    this.#native.sort();
  }

  forEach(callback: unknown, self?: unknown): void {
    if (typeof callback !== "function")
      throw wrongArgument(`URLSearchParams.forEach takes a function, not ${kindOf(callback)}`);
    for (const [name, value] of [...this.#native]) Reflect.apply(callback, self, [value, name, this]);
  }

  // The iterators run over a copy: Node's have a prototype that plugins must not reach.
  keys(): IterableIterator<string> {
    return [...this.#native.keys()].values();
  }

  values(): IterableIterator<string> {
    return [...this.#native.values()].values();
  }

  entries(): IterableIterator<[string, string]> {
    return [...this.#native].map(([name, value]): [string, string] => [name, value]).values();
  }

  [Symbol.iterator](): IterableIterator<[string, string]> {
    return [...this.#native].map(([name, value]): [string, string] => [name, value]).values();
  }

  toString(): string {
    return this.#native.toString();
  }

  get [Symbol.toStringTag](): string {
    return "URLSearchParams";
  }
}

/** As in the URL standard. An invalid URL is a TypeError with `ERR_PERMISSION_ARGUMENT`. There are no object URLs. */
export class URL {
  readonly #native: NativeURL;
  #params: URLSearchParams | undefined;

  constructor(input: unknown, base: unknown = undefined) {
    const native = parse(urlText(input), base === undefined ? undefined : urlText(base));
    if (native === undefined) throw wrongArgument("Invalid URL");
    this.#native = native;
  }

  static {
    hrefOf = (value) => (#native in value ? value.#native.href : undefined);
  }

  static canParse(input: unknown, base: unknown = undefined): boolean {
    return parse(urlText(input), base === undefined ? undefined : urlText(base)) !== undefined;
  }

  static parse(input: unknown, base: unknown = undefined): URL | null {
    return URL.canParse(input, base) ? new URL(input, base) : null;
  }

  get href(): string {
    return this.#native.href;
  }
  set href(value: unknown) {
    const text = part(value, "URL.href");
    if (parse(text, undefined) === undefined) throw wrongArgument("Invalid URL");
    this.#native.href = text;
  }

  get origin(): string {
    return this.#native.origin;
  }

  get protocol(): string {
    return this.#native.protocol;
  }
  set protocol(value: unknown) {
    this.#native.protocol = part(value, "URL.protocol");
  }

  get username(): string {
    return this.#native.username;
  }
  set username(value: unknown) {
    this.#native.username = part(value, "URL.username");
  }

  get password(): string {
    return this.#native.password;
  }
  set password(value: unknown) {
    this.#native.password = part(value, "URL.password");
  }

  get host(): string {
    return this.#native.host;
  }
  set host(value: unknown) {
    this.#native.host = part(value, "URL.host");
  }

  get hostname(): string {
    return this.#native.hostname;
  }
  set hostname(value: unknown) {
    this.#native.hostname = part(value, "URL.hostname");
  }

  get port(): string {
    return this.#native.port;
  }
  set port(value: unknown) {
    this.#native.port = part(value, "URL.port");
  }

  get pathname(): string {
    return this.#native.pathname;
  }
  set pathname(value: unknown) {
    this.#native.pathname = part(value, "URL.pathname");
  }

  get search(): string {
    return this.#native.search;
  }
  set search(value: unknown) {
    this.#native.search = part(value, "URL.search");
  }

  get searchParams(): URLSearchParams {
    this.#params ??= wrapParams(this.#native.searchParams);
    return this.#params;
  }

  get hash(): string {
    return this.#native.hash;
  }
  set hash(value: unknown) {
    this.#native.hash = part(value, "URL.hash");
  }

  toString(): string {
    return this.#native.href;
  }

  toJSON(): string {
    return this.#native.href;
  }

  get [Symbol.toStringTag](): string {
    return "URL";
  }
}

/** Returns the text of an argument for a URL: the href of one of our URLs, or a primitive as text. */
function urlText(value: unknown): string {
  const href = typeof value === "object" && value !== null ? hrefOf(value) : undefined;
  return href ?? part(value, "the URL");
}

/** Returns undefined for an invalid URL, since Node's error carries the input and the base; callers throw their own. */
function parse(input: string, base: string | undefined): NativeURL | undefined {
  try {
    return new NativeURL(input, base);
  } catch {
    return undefined;
  }
}

function paramsFrom(init: unknown): NativeParams {
  if (typeof init !== "object" || init === null) return new NativeParams(part(init, "the query"));
  const params = new NativeParams();
  for (const [name, value] of pairsOf(init)) params.append(part(name, "the name"), part(value, "the value"));
  return params;
}

/** Returns the pairs of a list, a Map or a plain record, read without running the plugin's code. */
function pairsOf(init: object): ReadonlyArray<readonly [unknown, unknown]> {
  if (types.isProxy(init)) throw wrongArgument("URLSearchParams does not take a proxy");
  const own = (value: object, key: string): unknown => Reflect.getOwnPropertyDescriptor(value, key)?.value;
  if (types.isMap(init)) return [...Reflect.apply(Map.prototype.entries, init, [])];
  if (!Array.isArray(init)) return Object.keys(init).map((key) => [key, own(init, key)]);
  return Array.from({ length: init.length }, (_, index) => {
    const pair = own(init, String(index));
    if (types.isProxy(pair) || !Array.isArray(pair) || pair.length !== 2) {
      throw wrongArgument(`URLSearchParams: entry ${index} must be a pair of name and value`);
    }
    return [own(pair, "0"), own(pair, "1")];
  });
}
