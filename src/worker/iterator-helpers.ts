/** The global `Iterator` and its helper methods (ES2025), for engines that lack them. */
import { addMethods, type Method } from "./missing-methods.js";

type Step = IteratorResult<unknown, unknown>;
type Callback = (value: unknown, index: number) => unknown;

/** Defines `Iterator`. Call it only where the engine has none. */
export function addIterator(): void {
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
    addMethods(made, {
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
  addMethods(prototype, lazies);
  for (const name of Object.keys(lazies)) Object.defineProperty(Reflect.get(prototype, name), "name", { value: name });
  addMethods(prototype, {
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
  addMethods(maker, {
    from(items: Iterable<unknown> | globalThis.Iterator<unknown>) {
      const given = Symbol.iterator in Object(items) ? (items as Iterable<unknown>)[Symbol.iterator]() : items;
      const iterator = given as globalThis.Iterator<unknown>;
      return Object.prototype.isPrototypeOf.call(prototype, iterator) ? iterator : made(wrapped, iterator);
    },
  });
  Object.defineProperty(globalThis, "Iterator", { value: maker, writable: true, configurable: true });
}
