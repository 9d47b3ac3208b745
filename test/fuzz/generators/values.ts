/** What the other generators are made of: values of about the right kind. */
import fc from "fast-check";
import { VALUES } from "../words.js";

/** Units of UTF-16 in any order. */
export const anyText = (maxLength: number): fc.Arbitrary<string> =>
  fc
    .array(fc.oneof(fc.integer({ min: 0, max: 0x7f }), fc.integer({ min: 0, max: 0xffff })), { maxLength })
    .map((units) => String.fromCharCode(...units));

/** Any value of JSON, and those that trip readers. */
export const poison: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(...VALUES.filter((text) => text.length < 300)).map((text) => JSON.parse(text) as unknown),
  fc.jsonValue({ maxDepth: 3 }),
);

/** Mostly what is expected. */
export const mostly = (expected: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 9, arbitrary: expected }, { weight: 1, arbitrary: poison });

export function fields(of: Readonly<Record<string, fc.Arbitrary<unknown>>>): fc.Arbitrary<unknown> {
  const shape = Object.fromEntries(Object.entries(of).map(([key, value]) => [key, mostly(value)]));
  return fc.oneof(
    { weight: 8, arbitrary: fc.record(shape) },
    { weight: 1, arbitrary: fc.record(shape, { requiredKeys: [] }) },
    { weight: 1, arbitrary: poison },
  );
}

/** Members as they should be, and now and then one that is not known, or nearly so. */
export function members(of: Readonly<Record<string, fc.Arbitrary<unknown>>>): fc.Arbitrary<unknown> {
  const slip = fc
    .tuple(
      fc.constantFrom(...Object.keys(of), "x"),
      fc.constantFrom("", "s", "z", "toString", "\u202e", "a\nb"),
      fc.nat(3),
    )
    .map(([key, more, cut]) => key.slice(0, key.length - cut) + more);
  const right = fc.record(Object.fromEntries(Object.entries(of).map(([key, one]) => [key, mostly(one)])), {
    requiredKeys: [],
  });
  return fc.oneof(
    { weight: 8, arbitrary: right },
    {
      weight: 1,
      arbitrary: fc.tuple(right, slip, poison).map(([all, key, value]) => Object.assign({}, all, { [key]: value })),
    },
    { weight: 1, arbitrary: poison },
  );
}
