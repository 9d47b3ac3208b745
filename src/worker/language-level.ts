/**
 * Gives plugins one language on every engine: adds what Node 20 lacks of ES2025, and removes what only later engines have.
 * Runs when it is imported, which must be before SES: SES keeps what it finds at that time, and tames and freezes all of it
 * alike.
 */

type Method = (this: never, ...args: never[]) => unknown;

/** Names only later engines have, which a plugin would find on some hosts only. */
const LATER: ReadonlyArray<readonly [owner: () => object | undefined, names: readonly PropertyKey[]]> = [
  [() => globalThis, ["Temporal"]],
  [() => Date.prototype, ["toTemporalInstant"]],
  [() => Map.prototype, ["getOrInsert", "getOrInsertComputed"]],
  [() => WeakMap.prototype, ["getOrInsert", "getOrInsertComputed"]],
  [() => Reflect.get(globalThis, "Iterator"), ["concat", "zip", "zipKeyed"]],
  [() => Uint8Array, ["fromBase64", "fromHex"]],
  [() => Uint8Array.prototype, ["setFromBase64", "setFromHex", "toBase64", "toHex"]],
  [() => Math, ["f16round", "sumPrecise"]],
  [() => DataView.prototype, ["getFloat16", "setFloat16"]],
  [() => JSON, ["isRawJSON", "rawJSON"]],
];

function levelLanguage(): void {
  for (const [owner, names] of LATER) {
    const object = owner();
    if (object !== undefined) for (const name of names) Reflect.deleteProperty(object, name);
  }
  add(Promise, STATICS.Promise);
  add(Object, STATICS.Object);
  add(Map, STATICS.Map);
  add(Array, STATICS.Array);
  add(Set.prototype, SET);
  if (Reflect.get(globalThis, "Iterator") === undefined) addIterator();
}

function add(object: object, methods: Readonly<Record<string, Method>>): void {
  for (const [name, value] of Object.entries(methods))
    if (!Object.hasOwn(object, name))
      Object.defineProperty(object, name, { value, writable: true, enumerable: false, configurable: true });
}

const STATICS = {
  Promise: {
    withResolvers(this: PromiseConstructor) {
      let resolve: unknown;
      let reject: unknown;
      const promise = new this((...both) => {
        [resolve, reject] = both;
      });
      return { promise, resolve, reject };
    },
    try(this: PromiseConstructor, body: (...args: unknown[]) => unknown, ...args: unknown[]) {
      return new this((resolve) => resolve(body(...args)));
    },
  },
  Object: {
    groupBy(items: Iterable<unknown>, keyOf: (item: unknown, index: number) => PropertyKey) {
      const groups = Object.create(null) as Record<PropertyKey, unknown[]>;
      let index = 0;
      for (const item of items) {
        const key = keyOf(item, index++);
        const list = groups[key];
        if (list === undefined) groups[key] = [item];
        else list.push(item);
      }
      return groups;
    },
  },
  Map: {
    groupBy(items: Iterable<unknown>, keyOf: (item: unknown, index: number) => unknown) {
      const groups = new Map<unknown, unknown[]>();
      let index = 0;
      for (const item of items) {
        const key = keyOf(item, index++);
        const list = groups.get(key);
        if (list === undefined) groups.set(key, [item]);
        else list.push(item);
      }
      return groups;
    },
  },
  Array: {
    // Not an async function: lockdown does not accept one as an intrinsic.
    fromAsync(items: AsyncIterable<unknown> | ArrayLike<unknown>, map?: (item: unknown, index: number) => unknown) {
      return collected(items, map);
    },
  },
} as const satisfies Record<string, Record<string, Method>>;

async function collected(
  items: AsyncIterable<unknown> | ArrayLike<unknown>,
  map: ((item: unknown, index: number) => unknown) | undefined,
): Promise<unknown[]> {
  const list: unknown[] = [];
  const source = isIterable(items) ? items : Array.from(items as ArrayLike<unknown>);
  for await (const item of source) list.push(map === undefined ? item : await map(item, list.length));
  return list;
}

function isIterable(value: unknown): value is AsyncIterable<unknown> {
  return Reflect.has(Object(value), Symbol.iterator) || Reflect.has(Object(value), Symbol.asyncIterator);
}

interface SetLike {
  readonly size: number;
  has(value: unknown): boolean;
  keys(): Iterator<unknown>;
}

function keysOf(other: SetLike): unknown[] {
  if (Number.isNaN(Number(other.size))) throw new TypeError("the other set has no size");
  const keys: unknown[] = [];
  const iterator = other.keys();
  for (let step = iterator.next(); !step.done; step = iterator.next()) keys.push(step.value);
  return keys;
}

const SET = {
  union(this: Set<unknown>, other: SetLike) {
    return new Set([...this, ...keysOf(other)]);
  },
  intersection(this: Set<unknown>, other: SetLike) {
    if (this.size <= other.size) return new Set([...this].filter((one) => other.has(one)));
    return new Set(keysOf(other).filter((one) => this.has(one)));
  },
  difference(this: Set<unknown>, other: SetLike) {
    return new Set([...this].filter((one) => !other.has(one)));
  },
  symmetricDifference(this: Set<unknown>, other: SetLike) {
    const made = new Set(this);
    for (const one of keysOf(other)) {
      if (this.has(one)) made.delete(one);
      else made.add(one);
    }
    return made;
  },
  isSubsetOf(this: Set<unknown>, other: SetLike) {
    return this.size <= other.size && [...this].every((one) => other.has(one));
  },
  isSupersetOf(this: Set<unknown>, other: SetLike) {
    return this.size >= other.size && keysOf(other).every((one) => this.has(one));
  },
  isDisjointFrom(this: Set<unknown>, other: SetLike) {
    return ![...this].some((one) => other.has(one));
  },
} as const satisfies Record<string, Method>;

type Step = IteratorResult<unknown, unknown>;
type Callback = (value: unknown, index: number) => unknown;

function addIterator(): void {
  const prototype = Reflect.getPrototypeOf(Reflect.getPrototypeOf([].values()) ?? {}) ?? {};
  const maker = Object.defineProperty(
    function Iterator(this: unknown) {
      if (new.target === undefined || new.target === maker) throw new TypeError("Iterator is abstract: extend it");
    },
    "length",
    { value: 0, configurable: true },
  );
  Object.defineProperty(maker, "prototype", { value: prototype, writable: false });
  Object.defineProperty(prototype, "constructor", { value: maker, writable: true, configurable: true });
  Object.defineProperty(prototype, Symbol.toStringTag, { value: "Iterator", writable: true, configurable: true });

  /** The iterator behind each helper object, stored where no plugin can reach it. */
  const running = new WeakMap<object, globalThis.Iterator<unknown>>();
  const runningOf = (self: object): globalThis.Iterator<unknown> => {
    const found = running.get(self);
    if (found === undefined) throw new TypeError("this is not an iterator helper");
    return found;
  };
  const protoOf = (tag: string): object => {
    const made: object = Object.create(prototype);
    add(made, {
      next(this: object): Step {
        return runningOf(this).next();
      },
      return(this: object): Step {
        return runningOf(this).return?.() ?? { done: true, value: undefined };
      },
    });
    return Object.defineProperty(made, Symbol.toStringTag, { value: tag, configurable: true });
  };
  const helper = protoOf("Iterator Helper");
  const wrapped = protoOf("Wrapped Iterator");
  const made = (proto: object, iterator: globalThis.Iterator<unknown>): object => {
    const object: object = Object.create(proto);
    running.set(object, iterator);
    return object;
  };
  /** The rest of an iterator, which is closed when its consumer stops early. */
  const rest = (iterator: globalThis.Iterator<unknown>): Iterable<unknown> => ({
    [Symbol.iterator]: () => ({
      next: () => iterator.next(),
      return: () => iterator.return?.() ?? { done: true, value: undefined },
    }),
  });
  const count = (value: unknown): number => {
    const number = Math.trunc(Number(value));
    if (!(number >= 0)) throw new RangeError(`${String(value)} must be a number, 0 or more`);
    return number;
  };
  const lazy = (
    body: (self: Iterable<unknown>, argument: never) => Generator<unknown>,
    check?: (value: unknown) => unknown,
  ) =>
    function (this: globalThis.Iterator<unknown>, argument: unknown): object {
      const checked = check === undefined ? callable(argument) : check(argument);
      return made(helper, body(rest(this), checked as never));
    };
  const callable = (value: unknown): unknown => {
    if (typeof value !== "function") throw new TypeError(`${String(value)} is not a function`);
    return value;
  };
  const lazies: Record<string, Method> = {
    map: lazy(function* (self, each: Callback) {
      let index = 0;
      for (const one of self) yield each(one, index++);
    }),
    filter: lazy(function* (self, each: Callback) {
      let index = 0;
      for (const one of self) if (each(one, index++)) yield one;
    }),
    take: lazy(function* (self, most: number) {
      if (most === 0) return;
      let left = most;
      for (const one of self) {
        yield one;
        if (--left <= 0) return;
      }
    }, count),
    drop: lazy(function* (self, first: number) {
      let left = first;
      for (const one of self) if (left-- <= 0) yield one;
    }, count),
    flatMap: lazy(function* (self, each: (value: unknown, index: number) => Iterable<unknown>) {
      let index = 0;
      for (const one of self) yield* each(one, index++);
    }),
  };
  add(prototype, lazies);
  for (const name of Object.keys(lazies)) Object.defineProperty(Reflect.get(prototype, name), "name", { value: name });
  add(prototype, {
    reduce(
      this: globalThis.Iterator<unknown>,
      each: (sum: unknown, value: unknown, index: number) => unknown,
      ...first: unknown[]
    ) {
      let sum = first[0];
      let index = first.length === 0 ? -1 : 0;
      for (const one of rest(this)) {
        sum = index < 0 ? one : each(sum, one, index);
        index = index < 0 ? 1 : index + 1;
      }
      if (index < 0) throw new TypeError("reduce of an empty iterator with no initial value");
      return sum;
    },
    toArray(this: globalThis.Iterator<unknown>) {
      return [...rest(this)];
    },
    forEach(this: globalThis.Iterator<unknown>, each: Callback) {
      let index = 0;
      for (const one of rest(this)) each(one, index++);
    },
    some(this: globalThis.Iterator<unknown>, each: Callback) {
      let index = 0;
      for (const one of rest(this)) if (each(one, index++)) return true;
      return false;
    },
    every(this: globalThis.Iterator<unknown>, each: Callback) {
      let index = 0;
      for (const one of rest(this)) if (!each(one, index++)) return false;
      return true;
    },
    find(this: globalThis.Iterator<unknown>, each: Callback) {
      let index = 0;
      for (const one of rest(this)) if (each(one, index++)) return one;
      return undefined;
    },
  });
  add(maker, {
    from(items: Iterable<unknown> | globalThis.Iterator<unknown>) {
      const given = Symbol.iterator in Object(items) ? (items as Iterable<unknown>)[Symbol.iterator]() : items;
      const iterator = given as globalThis.Iterator<unknown>;
      return Object.prototype.isPrototypeOf.call(prototype, iterator) ? iterator : made(wrapped, iterator);
    },
  });
  Object.defineProperty(globalThis, "Iterator", { value: maker, writable: true, configurable: true });
}

levelLanguage();
