/**
 * Formats a plugin's values for `console.log` without running the plugin's code: no getter, proxy trap, `toString`, `toJSON` or
 * inspect hook is called. Node's inspector calls most of these, in the realm that enforces the sandbox.
 */
import { types } from "node:util";
import { regExpParts } from "../regexp.js";
import { dataOf, errorName, getter, isName, typedLength } from "./own-properties.js";

/** Levels of nesting shown. */
const DEPTH = 4;
/** Entries shown of one array, object, map or set. */
const ENTRIES = 50;
/** Longest string shown; of a longer one only the length: reading even its first letter may flatten it in memory. */
const LONGEST = 1 << 20;

const apply = Reflect.apply;

/** Text with a budget: once it is used up, formatting ends. */
interface Sink {
  room: number;
  text: string;
}

/** Formats a console call's arguments as one line of at most `max` UTF-16 units. Printf's `%s %d %i %f %j %o %O %c %%` are honoured. */
export function formatArguments(args: readonly unknown[], max: number): string {
  const sink: Sink = { room: max, text: "" };
  let rest = args;
  const [first] = args;
  if (typeof first === "string" && first.length <= LONGEST && args.length > 1)
    rest = printf(first.slice(0, max), args, sink);
  rest.forEach((value, index) => {
    if (index > 0 || rest !== args) put(sink, " ");
    if (typeof value === "string") putString(sink, value);
    else show(sink, value, DEPTH, []);
  });
  return sink.text;
}

/** Prints a format; returns the arguments that it did not use. */
function printf(format: string, args: readonly unknown[], sink: Sink): readonly unknown[] {
  let used = 1;
  let at = 0;
  for (const match of format.matchAll(/%([sdifjoOc%])/g)) {
    const letter = match[1] ?? "";
    if (letter !== "%" && used >= args.length) continue;
    put(sink, format.slice(at, match.index));
    at = match.index + 2;
    if (letter === "%") {
      put(sink, "%");
      continue;
    }
    const value = args[used++];
    if (letter === "c") continue;
    if (letter === "s" && typeof value === "string") putString(sink, value);
    else if ("dif".includes(letter)) put(sink, numberText(letter, value));
    else show(sink, value, DEPTH, []);
  }
  put(sink, format.slice(at));
  return args.slice(used);
}

function numberText(letter: string, value: unknown): string {
  if (typeof value === "bigint") return bigintText(value);
  const number =
    typeof value === "number" || (typeof value === "string" && value.length < 64) ? Number(value) : Number.NaN;
  return String(letter === "i" ? Math.trunc(number) : number);
}

function put(sink: Sink, text: string): void {
  const piece = text.length > sink.room ? text.slice(0, sink.room) : text;
  sink.text += piece;
  sink.room -= piece.length;
}

function putString(sink: Sink, text: string): void {
  put(sink, text.length > LONGEST ? `[string of ${text.length} characters]` : text);
}

/** Shows a bigint; of a long one only the type, since its digits take quadratic time. */
function bigintText(value: bigint): string {
  return value > -(2n ** 256n) && value < 2n ** 256n ? `${value}n` : "[bigint over 256 bits]";
}

function show(sink: Sink, value: unknown, depth: number, above: readonly object[]): void {
  if (sink.room <= 0) return;
  if (typeof value === "string") {
    if (value.length > LONGEST) putString(sink, value);
    else put(sink, JSON.stringify(value.slice(0, sink.room)));
  } else if (typeof value === "bigint") put(sink, bigintText(value));
  else if (typeof value === "symbol") {
    put(sink, "Symbol(");
    putString(sink, value.description ?? "");
    put(sink, ")");
  } else if (typeof value === "function") {
    const name = types.isProxy(value) ? undefined : dataOf(value, "name");
    put(sink, "[function");
    if (isName(name)) put(sink, ` ${name}`);
    put(sink, "]");
  } else if (typeof value === "object" && value !== null) showObject(sink, value, depth, above);
  else put(sink, Object.is(value, -0) ? "-0" : String(value));
}

function showObject(sink: Sink, value: object, depth: number, above: readonly object[]): void {
  if (types.isProxy(value)) put(sink, "[proxy]");
  else if (above.includes(value)) put(sink, "[circular]");
  else if (types.isNativeError(value)) showError(sink, value, depth, above);
  else if (types.isDate(value)) {
    const time = apply(Date.prototype.getTime, value, []);
    put(sink, Number.isNaN(time) ? "Invalid Date" : apply(Date.prototype.toISOString, value, []));
  } else if (types.isRegExp(value)) {
    const { source, flags } = regExpParts(value);
    put(sink, "/");
    putString(sink, source);
    put(sink, `/${flags}`);
  } else if (types.isPromise(value)) put(sink, "[promise]");
  else if (types.isBoxedPrimitive(value)) put(sink, "[boxed primitive]");
  else if (types.isAnyArrayBuffer(value) || types.isDataView(value)) put(sink, "[bytes]");
  else if (depth <= 0) put(sink, Array.isArray(value) ? "[…]" : "{…}");
  else showEntries(sink, value, depth - 1, [...above, value]);
}

function showEntries(sink: Sink, value: object, depth: number, above: readonly object[]): void {
  if (Array.isArray(value) || types.isTypedArray(value)) {
    // By index: the keys of a large typed array would be as many strings.
    const length = Array.isArray(value) ? Number(dataOf(value, "length")) : typedLength(value);
    const shown = Math.min(length, ENTRIES);
    list(
      sink,
      "[",
      Array.from({ length: shown }, (_, index) => () => showField(sink, value, String(index), depth, above)),
      length,
      "]",
    );
  } else if (types.isMap(value)) {
    const entries = first(apply(Map.prototype.entries, value, []));
    const size = Number(getter(Map.prototype, "size", value));
    const parts = entries.map(([key, item]) => () => {
      show(sink, key, depth, above);
      put(sink, " => ");
      show(sink, item, depth, above);
    });
    list(sink, "Map {", parts, size, "}");
  } else if (types.isSet(value)) {
    const items = first(apply(Set.prototype.values, value, []));
    const size = Number(getter(Set.prototype, "size", value));
    list(
      sink,
      "Set {",
      items.map((item) => () => show(sink, item, depth, above)),
      size,
      "}",
    );
  } else {
    const keys = Object.keys(value);
    const parts = keys.slice(0, ENTRIES).map((key) => () => {
      putString(sink, /^[\w$]{1,64}$/.test(key.length > 64 ? "" : key) ? key : JSON.stringify(key.slice(0, 256)));
      put(sink, ": ");
      showField(sink, value, key, depth, above);
    });
    list(sink, "{", parts, keys.length, "}");
  }
}

/** `name: message`, and the cause if it is plain data; the stack is the bootstrap's business. */
function showError(sink: Sink, error: Error, depth: number, above: readonly object[]): void {
  const message = dataOf(error, "message");
  putString(sink, errorName(error));
  if (typeof message === "string" && message !== "") {
    put(sink, ": ");
    putString(sink, message);
  }
  const code = dataOf(error, "code");
  if (typeof code === "string" && code.length <= 64) put(sink, ` [${code}]`);
  const cause = dataOf(error, "cause");
  if (cause !== undefined && depth > 0) {
    put(sink, " (cause: ");
    show(sink, cause, depth - 1, [...above, error]);
    put(sink, ")");
  }
}

function showField(sink: Sink, value: object, key: string, depth: number, above: readonly object[]): void {
  const field = Reflect.getOwnPropertyDescriptor(value, key);
  if (field === undefined) put(sink, "<empty>");
  else if ("value" in field) show(sink, field.value, depth, above);
  else put(sink, "[getter]");
}

function list(sink: Sink, open: string, parts: ReadonlyArray<() => void>, total: number, close: string): void {
  put(sink, open);
  parts.forEach((part, index) => {
    put(sink, index > 0 ? ", " : close === "}" ? " " : "");
    part();
  });
  if (total > parts.length) put(sink, `, … ${total - parts.length} more`);
  put(sink, close === "}" && parts.length > 0 ? ` ${close}` : close);
}

/** Takes up to `ENTRIES` items. */
function first<T>(entries: Iterator<T>): T[] {
  const found: T[] = [];
  while (found.length < ENTRIES) {
    const step = entries.next();
    if (step.done === true) break;
    found.push(step.value);
  }
  return found;
}
