/**
 * structuredClone for the data that a plugin can have: objects, arrays, Map, Set, Date, RegExp, buffers, typed arrays, errors. Node's
 * clones host objects (ports, keys, handles), throws native DOMExceptions, and takes a transfer list.
 */
import { types } from "node:util";
import { kindOf, wrongArgument } from "../refusal.js";
import { regExpParts } from "../regexp.js";

const apply = Reflect.apply;
const typedArray: object = Reflect.getPrototypeOf(Uint8Array.prototype) ?? {};

type ViewMaker = new (buffer: ArrayBuffer, offset: number, length: number) => object;
const VIEWS: ReadonlyMap<unknown, ViewMaker> = new Map<unknown, ViewMaker>(
  [
    Int8Array,
    Uint8Array,
    Uint8ClampedArray,
    Int16Array,
    Uint16Array,
    Int32Array,
    Uint32Array,
    Float32Array,
    Float64Array,
    BigInt64Array,
    BigUint64Array,
  ].map((maker) => [maker.name, maker]),
);

const ERRORS: ReadonlyMap<unknown, new (message: string) => Error> = new Map(
  [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError].map((maker) => [maker.name, maker]),
);

type MakeDate = new (time: number) => object;

/** Work that remains. A list instead of recursion: depth then takes heap, not stack. */
type Todo = Array<() => void>;

/**
 * Returns structuredClone: a deep copy that keeps shared and circular references, with dates made by `makeDate`. As in HTML's, own
 * enumerable string-keyed properties are copied by value (a getter is read), and prototypes are lost. Throws
 * `ERR_PERMISSION_ARGUMENT` for functions, symbols, proxies, promises, weak collections and a transfer list.
 */
export const cloneWith = (makeDate: MakeDate): ((value: unknown, options?: unknown) => unknown) => {
  return (value, options) => clone(value, options, makeDate);
};

function clone(value: unknown, options: unknown, makeDate: MakeDate): unknown {
  if (options !== undefined && options !== null) {
    if (typeof options !== "object" || types.isProxy(options)) {
      throw wrongArgument(`structuredClone: the options must be an object, not ${kindOf(options)}`);
    }
    if (Reflect.getOwnPropertyDescriptor(options, "transfer") !== undefined) {
      throw wrongArgument("structuredClone: a transfer list is not supported");
    }
  }
  const todo: Todo = [];
  const copy = cloner(new Map(), todo, makeDate);
  const result = copy(value);
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) next();
  return result;
}

type Copy = (value: unknown) => unknown;

function cloner(known: Map<object, object>, todo: Todo, makeDate: MakeDate): Copy {
  const copy: Copy = (value) => {
    if (typeof value === "function" || typeof value === "symbol") throw uncloneable(kindOf(value));
    if (typeof value !== "object" || value === null) return value;
    const before = known.get(value);
    if (before !== undefined) return before;
    if (types.isProxy(value)) throw uncloneable("a proxy");
    const made = special(value, copy, makeDate) ?? container(value, copy, todo);
    known.set(value, made);
    return made;
  };
  return copy;
}

/** Copies an object whose content is in internal slots; returns undefined for containers and plain objects. */
function special(value: object, copy: Copy, makeDate: MakeDate): object | undefined {
  if (types.isDate(value)) return Reflect.construct(makeDate, [apply(Date.prototype.getTime, value, [])]);
  if (types.isRegExp(value)) {
    const { source, flags } = regExpParts(value);
    return new RegExp(source, flags);
  }
  if (types.isArrayBuffer(value))
    return guarded("a detached buffer", () => apply(ArrayBuffer.prototype.slice, value, [0]));
  if (ArrayBuffer.isView(value)) return guarded("a view of a detached buffer", () => viewOf(value, copy));
  if (types.isNativeError(value)) return errorOf(value);
  if (types.isNumberObject(value)) return Object(apply(Number.prototype.valueOf, value, []));
  if (types.isStringObject(value)) return Object(apply(String.prototype.valueOf, value, []));
  if (types.isBooleanObject(value)) return Object(apply(Boolean.prototype.valueOf, value, []));
  if (types.isBigIntObject(value)) return Object(apply(BigInt.prototype.valueOf, value, []));
  if (types.isSymbolObject(value)) throw uncloneable("a symbol");
  if (types.isPromise(value)) throw uncloneable("a promise");
  if (types.isWeakMap(value) || types.isWeakSet(value)) throw uncloneable("a weak collection");
  if (types.isGeneratorObject(value) || types.isMapIterator(value) || types.isSetIterator(value))
    throw uncloneable("an iterator");
  return undefined;
}

function container(value: object, copy: Copy, todo: Todo): object {
  if (types.isMap(value)) {
    const made = new Map<unknown, unknown>();
    todo.push(() => {
      for (const [key, item] of [...apply(Map.prototype.entries, value, [])]) made.set(copy(key), copy(item));
    });
    return made;
  }
  if (types.isSet(value)) {
    const made = new Set<unknown>();
    todo.push(() => {
      for (const item of [...apply(Set.prototype.values, value, [])]) made.add(copy(item));
    });
    return made;
  }
  const made: object = Array.isArray(value) ? new Array(value.length) : {};
  todo.push(() => {
    for (const key of Object.keys(value)) {
      const item = copy(Reflect.get(value, key));
      // Defined instead of assigned, so that "__proto__" is an ordinary key.
      Reflect.defineProperty(made, key, { value: item, writable: true, enumerable: true, configurable: true });
    }
  });
  return made;
}

function viewOf(value: ArrayBufferView, copy: Copy): object {
  const prototype = types.isDataView(value) ? DataView.prototype : typedArray;
  const buffer = copy(slot(prototype, "buffer", value));
  const offset = Number(slot(prototype, "byteOffset", value));
  if (!(buffer instanceof ArrayBuffer)) throw uncloneable("a view of shared memory");
  if (types.isDataView(value)) return new DataView(buffer, offset, Number(slot(prototype, "byteLength", value)));
  const maker = VIEWS.get(slot(typedArray, Symbol.toStringTag, value));
  if (maker === undefined) throw uncloneable("a typed array of an unknown kind");
  return new maker(buffer, offset, Number(slot(prototype, "length", value)));
}

/** Copies a standard name and the message; the stack stays with the original. */
function errorOf(error: Error): Error {
  const own = Reflect.getOwnPropertyDescriptor(error, "message")?.value;
  const maker = [...ERRORS.values()].find((known) => Reflect.getPrototypeOf(error) === known.prototype) ?? Error;
  return new maker(typeof own === "string" ? own : "");
}

function slot(prototype: object, name: PropertyKey, value: object): unknown {
  const getter = Reflect.getOwnPropertyDescriptor(prototype, name)?.get;
  return getter === undefined ? undefined : apply(getter, value, []);
}

function guarded(what: string, make: () => object): object {
  try {
    return make();
  } catch {
    throw uncloneable(what);
  }
}

function uncloneable(what: string): Error {
  return wrongArgument(`structuredClone: ${what} cannot be cloned`);
}
