/** Port ranges as in a grant: `80`, `8000-8999`. */

/** A range; both ends are included. */
export interface PortRange {
  readonly from: number;
  readonly to: number;
}

/** Parses a range; returns undefined if the text is not one. */
export function parseRange(text: string): PortRange | undefined {
  const [, low = "", high = low] = /^([1-9]\d{0,4})(?:-([1-9]\d{0,4}))?$/.exec(text) ?? [];
  const range = { from: Number(low), to: Number(high) };
  return low !== "" && range.from <= range.to && range.to <= 65_535 ? range : undefined;
}

/** True if one of the ranges contains the port. */
export function inRanges(ranges: readonly string[], port: number): boolean {
  return ranges.some((text) => covers(text, String(port)));
}

/** True if `outer` contains every port of `inner`. */
export function covers(outer: string, inner: string): boolean {
  const [a, b] = [parseRange(outer), parseRange(inner)];
  return a !== undefined && b !== undefined && a.from <= b.from && b.to <= a.to;
}

/** Intersects two lists of ranges, without repetitions. */
export function commonRanges(a: readonly string[], b: readonly string[]): readonly string[] {
  const common = a.flatMap((one) =>
    b.flatMap((other) => {
      const [x, y] = [parseRange(one), parseRange(other)];
      if (!x || !y) return [];
      const [from, to] = [Math.max(x.from, y.from), Math.min(x.to, y.to)];
      return from > to ? [] : [from === to ? String(from) : `${from}-${to}`];
    }),
  );
  return [...new Set(common)];
}
