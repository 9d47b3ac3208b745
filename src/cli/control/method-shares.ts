/** Which methods the time of a plugin's calls went into, between two readings. */
import type { MethodCalls } from "../../control/types.js";

/** One method in an interval; calls in progress count when they are answered. */
export interface MethodShare {
  readonly type: string;
  readonly method: string;
  readonly calls: number;
  readonly ms: number;
  /** Percentage of the time of all calls to the plugin. */
  readonly share: number;
}

/** Methods that a row of `top` names. */
const NAMED = 3;

/** Returns each plugin's methods that were called in between, the one with most time first. */
export function methodShares(
  before: readonly MethodCalls[],
  now: readonly MethodCalls[],
): ReadonlyMap<string, readonly MethodShare[]> {
  const key = ({ plugin, type, method }: MethodCalls): string => `${plugin} ${type} ${method}`;
  const earlier = new Map(before.map((one) => [key(one), one]));
  const called = now.flatMap((one) => {
    const last = earlier.get(key(one));
    const calls = one.calls - (last?.calls ?? 0);
    // A plugin that was removed and added again counts from the start.
    return calls > 0 ? [{ ...one, calls, ms: Math.max(0, one.ms - (last?.ms ?? 0)) }] : [];
  });
  const totals = new Map<string, number>();
  for (const { plugin, ms } of called) totals.set(plugin, (totals.get(plugin) ?? 0) + ms);
  const shares = new Map<string, MethodShare[]>();
  for (const { plugin, type, method, calls, ms } of called.sort((a, b) => b.ms - a.ms)) {
    const total = totals.get(plugin) ?? 0;
    const one = { type, method, calls, ms, share: total > 0 ? (ms / total) * 100 : 0 };
    shares.set(plugin, [...(shares.get(plugin) ?? []), one]);
  }
  return shares;
}

/** Returns `join 72 %, leave 28 %`. */
export function sharesText(methods: readonly MethodShare[]): string {
  return methods
    .slice(0, NAMED)
    .map(({ method, share }) => `${method} ${Math.round(share)} %`)
    .join(", ");
}
