/**
 * A bounded `Intl` for every plugin that reveals nothing about the machine: the default locale is `en-US`, the default time zone UTC,
 * and the time comes from the plugin's own Date.
 */
import type { Endowment } from "../permission.js";
import { wrongArgument } from "../refusal.js";
import { type Argument, argumentOf, localesOf, type Options, optionsOf, withDefault } from "./arguments.js";

type Native = new (locales: string[], options: Options) => object;
type Methods = Readonly<Record<string, readonly Argument[]>>;

/** The formatters offered: their methods, and the arguments of each. */
const KINDS: ReadonlyArray<readonly [name: string, maker: Native, methods: Methods]> = [
  [
    "DateTimeFormat",
    Intl.DateTimeFormat as unknown as Native,
    { format: ["date"], formatToParts: ["date"], formatRange: ["date", "date"], formatRangeToParts: ["date", "date"] },
  ],
  ["NumberFormat", Intl.NumberFormat as unknown as Native, { format: ["number"], formatToParts: ["number"] }],
  ["PluralRules", Intl.PluralRules as unknown as Native, { select: ["number"] }],
  [
    "RelativeTimeFormat",
    Intl.RelativeTimeFormat as unknown as Native,
    { format: ["number", "text"], formatToParts: ["number", "text"] },
  ],
  ["ListFormat", Intl.ListFormat as unknown as Native, { format: ["texts"], formatToParts: ["texts"] }],
  ["Collator", Intl.Collator as unknown as Native, { compare: ["text", "text"] }],
  // Returns a list: the engine's own object has a prototype that plugins must not reach.
  ["Segmenter", Intl.Segmenter as unknown as Native, { segment: ["text"] }],
];

/** Methods that the standard gives as getters of bound functions: `list.map(format.format)`. */
const BOUND: ReadonlySet<string> = new Set(["DateTimeFormat.format", "NumberFormat.format", "Collator.compare"]);

/**
 * Most native formatters that a plugin has at a time. Each takes tens of kilobytes outside the worker's heap limit, so the least
 * recently used one is dropped, and created again when needed.
 */
const MOST_NATIVES = 32;

/** Returns the engine's formatter for these arguments. */
type NativeOf = (name: string, maker: Native, locales: readonly string[], options: Options) => object;

/** Global `Intl`. `makeDate`: the plugin's Date, which gives the time for a missing date. */
export function endow(makeDate: unknown): Endowment {
  const now = (): number => {
    if (typeof makeDate === "function") return Number(Reflect.construct(makeDate, []));
    throw wrongArgument("Intl.DateTimeFormat: the current time needs the clock permission; pass a date");
  };
  const intl: Record<PropertyKey, unknown> = {
    getCanonicalLocales: (given: unknown): string[] => {
      const locales = localesOf(given);
      return told(() => Intl.getCanonicalLocales(locales));
    },
    supportedValuesOf: (key: unknown): string[] => {
      const name = String(key);
      return told(() => Intl.supportedValuesOf(name as "timeZone"));
    },
  };
  Object.defineProperty(intl, Symbol.toStringTag, { value: "Intl" });
  const nativeOf = keptNatives();
  for (const [name, maker, methods] of KINDS) intl[name] = formatter(name, maker, methods, now, nativeOf);
  return { globals: { Intl: intl } };
}

function keptNatives(): NativeOf {
  /** Least recently used first. */
  const kept = new Map<string, object>();
  return (name, Maker, locales, options) => {
    const key = JSON.stringify([name, locales, options]);
    const native = kept.get(key) ?? told(() => new Maker(withDefault(locales), options));
    kept.delete(key);
    kept.set(key, native);
    for (const oldest of kept.keys()) {
      if (kept.size <= MOST_NATIVES) break;
      kept.delete(oldest);
    }
    return native;
  };
}

function formatter(name: string, maker: Native, methods: Methods, now: () => number, nativeOf: NativeOf): unknown {
  /** By the plugin's object, a function that returns the engine's. */
  const natives = new WeakMap<object, () => object>();
  const getterOf = (self: object): (() => object) => {
    const get = natives.get(self);
    if (get === undefined) throw wrongArgument(`this is not an Intl.${name}`);
    return get;
  };
  const run = (get: () => object, method: string, kinds: readonly Argument[], args: readonly unknown[]): unknown => {
    const given = kinds.map((kind, index) => argumentOf(kind, args[index], now));
    const native = get();
    const result = told(() => Reflect.apply(Reflect.get(native, method) as () => unknown, native, given));
    return method === "segment" ? [...(result as Iterable<unknown>)] : result;
  };
  function Formatter(this: unknown, given: unknown, options: unknown): object {
    const locales = localesOf(given);
    const settings = optionsOf(options);
    if (name === "DateTimeFormat") settings.timeZone ??= "UTC";
    const get = (): object => nativeOf(name, maker, locales, settings);
    get();
    const made = Object.create(new.target?.prototype ?? (Formatter.prototype as object)) as object;
    natives.set(made, get);
    return made;
  }
  const { prototype } = Formatter as unknown as { prototype: object };
  for (const [method, kinds] of Object.entries(methods)) {
    const member = {
      [method](this: object, ...args: unknown[]): unknown {
        return run(getterOf(this), method, kinds, args);
      },
      get bound(): unknown {
        const get = getterOf(this);
        return (...args: unknown[]): unknown => run(get, method, kinds, args);
      },
    };
    if (BOUND.has(`${name}.${method}`)) {
      const { get } = Object.getOwnPropertyDescriptor(member, "bound") ?? {};
      if (get) Object.defineProperty(prototype, method, { get, configurable: true });
    } else Object.defineProperty(prototype, method, { value: member[method], writable: true, configurable: true });
  }
  const shared = {
    resolvedOptions(this: object): unknown {
      const native = getterOf(this)() as { resolvedOptions(): object };
      return { ...native.resolvedOptions() };
    },
    supportedLocalesOf: (given: unknown): unknown => {
      const locales = localesOf(given);
      return told(() => (maker as unknown as typeof Intl.NumberFormat).supportedLocalesOf(locales));
    },
  };
  Object.defineProperty(prototype, "resolvedOptions", { value: shared.resolvedOptions });
  Object.defineProperty(prototype, Symbol.toStringTag, { value: `Intl.${name}` });
  Object.defineProperty(Formatter, "name", { value: name });
  Object.defineProperty(Formatter, "supportedLocalesOf", { value: shared.supportedLocalesOf });
  return Formatter;
}

/** Runs the engine's code; replaces its error by a RangeError without its stack. */
function told<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    throw new RangeError(error instanceof Error ? error.message : "it cannot be formatted");
  }
}
