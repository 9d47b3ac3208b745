/**
 * Gives plugins one language on every engine: adds what Node 20 lacks of ES2025, and removes what only later engines have.
 * Runs when it is imported, which must be before SES: SES keeps what it finds at that time, and tames and freezes all of it
 * alike.
 */

import { addIterator } from "./iterator-helpers.js";
import { addMethods, type Method } from "./missing-methods.js";

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
  addMethods(Promise, STATICS.Promise);
  addMethods(Object, STATICS.Object);
  addMethods(Map, STATICS.Map);
  addMethods(Array, STATICS.Array);
  addMethods(Set.prototype, SET);
  if (Reflect.get(globalThis, "Iterator") === undefined) addIterator();
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

levelLanguage();
