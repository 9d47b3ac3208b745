/**
 * A plugin's own limits, in one table: the schemas of manifest and policy, the grant in force and its comparison derive from
 * it.
 */

import { z } from "../../common/zod.js";
import { DEFAULTS, DOCUMENT_LIMITS } from "../limits.js";

/** One limit: whole numbers from `min` to `max`; if both sides name it, the lower applies. */
export interface PluginLimitRow {
  /** What it bounds, with its unit. */
  readonly bounds: string;
  readonly min: number;
  readonly max: number;
  /** Applies where neither manifest nor policy names it. */
  readonly default: number;
}

/** The names of the limits; the compiler reports a row that is missing below. */
export type PluginLimitName = "memoryMb" | "drivers" | "cpuPercent";

const PLUGIN_LIMITS: Readonly<Record<PluginLimitName, PluginLimitRow>> = {
  memoryMb: {
    bounds: "memory of the plugin's worker, in mebibytes",
    min: DOCUMENT_LIMITS.memoryMbMin,
    max: DOCUMENT_LIMITS.memoryMbMax,
    default: DEFAULTS.memoryMb,
  },
  drivers: {
    bounds: "drivers the plugin may register",
    min: 1,
    max: DOCUMENT_LIMITS.driversMax,
    default: DEFAULTS.drivers,
  },
  cpuPercent: {
    bounds: "share of one core the plugin may use beyond the calls it serves, in per cent",
    min: DOCUMENT_LIMITS.cpuPercentMin,
    max: DOCUMENT_LIMITS.cpuPercentMax,
    default: DEFAULTS.cpuPercent,
  },
};

/** `limits` of a manifest, a policy entry or the policy's defaults. */
export type PluginLimits = { readonly [N in PluginLimitName]?: number };

/** Schema of `limits`, in manifest and policy. */
export const pluginLimitsSchema: z.ZodType<PluginLimits> = z.strictObject(
  eachLimit(({ bounds, min, max }) => z.exactOptional(z.int().min(min).max(max).describe(bounds))),
);

/** Builds one value per limit. */
export function eachLimit<T>(make: (row: PluginLimitRow, name: PluginLimitName) => T): Record<PluginLimitName, T> {
  const entries = Object.entries(PLUGIN_LIMITS).map(([name, row]) => [name, make(row, name as PluginLimitName)]);
  return Object.fromEntries(entries) as Record<PluginLimitName, T>;
}
