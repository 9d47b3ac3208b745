/** Reads what a plugin passes to `Intl` once, and copies it as plain data before the engine sees it. */
import { kindOf, overLimit, wrongArgument } from "../refusal.js";

/** The locale used if none is named, or none of those named is known. */
const LOCALE = "en-US";

/**
 * Longest list of locales and of items, and longest text in an option and elsewhere. The engine works on these outside the worker's
 * heap limit.
 */
const MOST = { locales: 16, optionChars: 64, chars: 65_536, items: 1_000 } as const;

/** Whole numbers of this size or larger are refused. */
const LARGEST = 10n ** 1_000n;

/** ECMA-402's options for the formatters offered here; others are ignored, as in the standard. */
const OPTIONS: readonly string[] = [
  ..."localeMatcher numberingSystem calendar timeZone hour12 hourCycle formatMatcher dateStyle timeStyle".split(" "),
  ..."weekday era year month day dayPeriod hour minute second fractionalSecondDigits timeZoneName".split(" "),
  ..."style currency currencyDisplay currencySign unit unitDisplay notation compactDisplay useGrouping".split(" "),
  ..."signDisplay minimumIntegerDigits minimumFractionDigits maximumFractionDigits".split(" "),
  ..."minimumSignificantDigits maximumSignificantDigits roundingPriority roundingIncrement roundingMode".split(" "),
  ..."trailingZeroDisplay type numeric usage sensitivity ignorePunctuation caseFirst collation granularity".split(" "),
];

export type Options = Record<string, string | number | boolean>;

/** What a formatter's method takes. */
export type Argument = "date" | "number" | "text" | "texts";

/** Returns the locales named; an empty list if there are none. */
export function localesOf(value: unknown): string[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) return [textOf(value, "a locale", MOST.optionChars)];
  return listOf(value, "locales", MOST.locales).map((one) => textOf(one, "a locale", MOST.optionChars));
}

/** Appends the fallback locale, so that the machine's is never used. */
export function withDefault(locales: readonly string[]): string[] {
  return [...locales, LOCALE];
}

export function optionsOf(value: unknown): Options {
  const options: Options = {};
  if (value === undefined || value === null) return options;
  if (typeof value !== "object") throw wrongArgument(`Intl: the options must be an object, not ${kindOf(value)}`);
  for (const key of OPTIONS) {
    const field: unknown = Reflect.get(value, key);
    if (field === undefined) continue;
    options[key] =
      typeof field === "number" || typeof field === "boolean" ? field : textOf(field, key, MOST.optionChars);
  }
  return options;
}

/** Reads one argument of a method. `now`: the plugin's own time, for a missing date. */
export function argumentOf(kind: Argument, value: unknown, now: () => number): unknown {
  switch (kind) {
    case "date":
      return value === undefined ? now() : Number(value);
    case "number":
      if (typeof value === "string") return Number(textOf(value, "a number", MOST.chars));
      if (typeof value !== "bigint") return Number(value);
      if (value >= LARGEST || value <= -LARGEST) throw overLimit("Intl: a number has more than 1000 digits");
      return value;
    case "text":
      return textOf(value, "the text", MOST.chars);
    case "texts": {
      let left: number = MOST.chars;
      return listOf(value as Iterable<unknown>, "items", MOST.items).map((one) => {
        const text = textOf(one, "what is left of a list", left);
        left -= text.length;
        return text;
      });
    }
  }
}

/** Returns the items of an iterable; stops as soon as there are too many. */
function listOf(items: Iterable<unknown>, what: string, most: number): unknown[] {
  const list: unknown[] = [];
  for (const one of items) {
    if (list.length === most) throw overLimit(`Intl: more than ${most} ${what}`);
    list.push(one);
  }
  return list;
}

function textOf(value: unknown, what: string, most: number): string {
  if (typeof value === "symbol") throw wrongArgument(`Intl: ${what} must be a string, not a symbol`);
  const text = String(value);
  if (text.length > most) throw overLimit(`Intl: ${what} has ${text.length} characters; at most ${most} are taken`);
  return text;
}
