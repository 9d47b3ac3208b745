/**
 * `Intl` in a bounded form, for every plugin: the engine's tables, without what they tell of the machine. A locale is the one
 * asked for or `en-US`, a time zone the one named or UTC, and the time is the plugin's own Date's.
 */
import type { Endowment } from "../permission.js";
import { kindOf, overLimit, wrongArgument } from "../refusal.js";

const LOCALE = "en-US";
/** Longest list of locales or text in an option, and longest text to compare or join. */
const MOST = { locales: 16, optionChars: 64, chars: 65_536, items: 1_000 } as const;

type Options = Record<string, string | number | boolean>;
type Native = new (locales: string[], options: Options) => object;

/** The formatters there are: their methods, and what their first two arguments are. */
const KINDS: ReadonlyArray<readonly [name: string, maker: Native, methods: Readonly<Record<string, Argument[]>>]> = [
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
];

type Argument = "date" | "number" | "text" | "texts";

/** Methods that the standard gives as getters of bound functions: `list.map(format.format)`. */
const BOUND: ReadonlySet<string> = new Set(["DateTimeFormat.format", "NumberFormat.format", "Collator.compare"]);

/** Global `Intl`. `makeDate`: the plugin's Date, whose time a date that is not given has. */
export function endow(makeDate: unknown): Endowment {
  const now = (): number => {
    if (typeof makeDate === "function") return Number(Reflect.construct(makeDate, []));
    throw wrongArgument("Intl.DateTimeFormat: there is no time without the clock permission; give the date");
  };
  const intl: Record<PropertyKey, unknown> = {
    getCanonicalLocales: (locales: unknown): string[] => told(() => Intl.getCanonicalLocales(localesOf(locales))),
    supportedValuesOf: (key: unknown): string[] => told(() => Intl.supportedValuesOf(String(key) as "timeZone")),
  };
  Object.defineProperty(intl, Symbol.toStringTag, { value: "Intl" });
  for (const [name, maker, methods] of KINDS) intl[name] = formatter(name, maker, methods, now);
  return { globals: { Intl: intl } };
}

function formatter(
  name: string,
  Maker: Native,
  methods: Readonly<Record<string, Argument[]>>,
  now: () => number,
): unknown {
  const natives = new WeakMap<object, object>();
  const nativeOf = (self: object): object => {
    const native = natives.get(self);
    if (native === undefined) throw wrongArgument(`this is not an Intl.${name}`);
    return native;
  };
  const run = (native: object, method: string, kinds: readonly Argument[], args: readonly unknown[]): unknown => {
    const given = kinds.map((kind, index) => argumentOf(kind, args[index], now));
    return told(() => Reflect.apply(Reflect.get(native, method) as () => unknown, native, given));
  };
  function Formatter(this: unknown, locales: unknown, options: unknown): object {
    const settings = optionsOf(options);
    if (name === "DateTimeFormat") settings.timeZone ??= "UTC";
    const native = told(() => new Maker(localesOf(locales), settings));
    const made = Object.create(new.target?.prototype ?? (Formatter.prototype as object)) as object;
    natives.set(made, native);
    return made;
  }
  const { prototype } = Formatter as unknown as { prototype: object };
  for (const [method, kinds] of Object.entries(methods)) {
    const member = {
      [method](this: object, ...args: unknown[]): unknown {
        return run(nativeOf(this), method, kinds, args);
      },
      get bound(): unknown {
        const native = nativeOf(this);
        return (...args: unknown[]): unknown => run(native, method, kinds, args);
      },
    };
    if (BOUND.has(`${name}.${method}`)) {
      const { get } = Object.getOwnPropertyDescriptor(member, "bound") ?? {};
      if (get) Object.defineProperty(prototype, method, { get, configurable: true });
    } else Object.defineProperty(prototype, method, { value: member[method], writable: true, configurable: true });
  }
  const shared = {
    resolvedOptions(this: object): unknown {
      const native = nativeOf(this) as { resolvedOptions(): object };
      return { ...native.resolvedOptions() };
    },
    supportedLocalesOf: (locales: unknown): unknown =>
      told(() => (Maker as unknown as typeof Intl.NumberFormat).supportedLocalesOf(localesOf(locales))),
  };
  Object.defineProperty(prototype, "resolvedOptions", { value: shared.resolvedOptions });
  Object.defineProperty(prototype, Symbol.toStringTag, { value: `Intl.${name}` });
  Object.defineProperty(Formatter, "name", { value: name });
  Object.defineProperty(Formatter, "supportedLocalesOf", { value: shared.supportedLocalesOf });
  return Formatter;
}

/** Runs the engine's code; an error of its own becomes one without its stack. */
function told<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    throw new RangeError(error instanceof Error ? error.message : "it cannot be formatted");
  }
}

function localesOf(value: unknown): string[] {
  if (value === undefined || (Array.isArray(value) && value.length === 0)) return [LOCALE];
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (list.length > MOST.locales) throw overLimit(`Intl: ${list.length} locales; at most ${MOST.locales} are taken`);
  return [...list.map((one) => textOf(one, "a locale", MOST.optionChars)), LOCALE];
}

function optionsOf(value: unknown): Options {
  const options: Options = {};
  if (value === undefined || value === null) return options;
  if (typeof value !== "object") throw wrongArgument(`Intl: the options must be an object, not ${kindOf(value)}`);
  for (const key in value) {
    const field: unknown = Reflect.get(value, key);
    if (field === undefined) continue;
    options[key] =
      typeof field === "number" || typeof field === "boolean" ? field : textOf(field, key, MOST.optionChars);
  }
  return options;
}

function argumentOf(kind: Argument, value: unknown, now: () => number): unknown {
  switch (kind) {
    case "date":
      return value === undefined ? now() : Number(value);
    case "number":
      if (typeof value === "bigint") return value;
      if (typeof value === "string") return Number(textOf(value, "a number", MOST.chars));
      return Number(value);
    case "text":
      return textOf(value, "the text", MOST.chars);
    case "texts": {
      const list = [...(value as Iterable<unknown>)];
      if (list.length > MOST.items) throw overLimit(`Intl: ${list.length} items; at most ${MOST.items} are taken`);
      return list.map((one) => textOf(one, "an item", MOST.chars));
    }
  }
}

function textOf(value: unknown, what: string, most: number): string {
  if (typeof value === "symbol") throw wrongArgument(`Intl: ${what} must be a string, not a symbol`);
  const text = String(value);
  if (text.length > most) throw overLimit(`Intl: ${what} has ${text.length} characters; at most ${most} are taken`);
  return text;
}
