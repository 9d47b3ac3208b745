/** A plugin's own limits, once: schemas of manifest and policy, the grant in force and its comparison are derived from here. */
import { DEFAULTS, DOCUMENT_LIMITS } from "../../protocol/limits.js";
import { z } from "../../zod.js";

/** One limit: whole numbers from `min` to `max`; of two sides that name it, the lower holds. */
export interface PluginLimitRow {
  /** What it bounds, with its unit. */
  readonly bounds: string;
  readonly min: number;
  readonly max: number;
  /** In force where neither manifest nor policy names it. */
  readonly default: number;
}

/** The limits there are; the compiler names a row that is missing below. */
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

/** `limits`, in manifest and policy. */
export const pluginLimitsSchema: z.ZodType<PluginLimits> = z.strictObject(
  eachLimit(({ bounds, min, max }) => z.exactOptional(z.int().min(min).max(max).describe(bounds))),
);

/** Makes one value per limit. */
export function eachLimit<T>(make: (row: PluginLimitRow, name: PluginLimitName) => T): Record<PluginLimitName, T> {
  const entries = Object.entries(PLUGIN_LIMITS).map(([name, row]) => [name, make(row, name as PluginLimitName)]);
  return Object.fromEntries(entries) as Record<PluginLimitName, T>;
}
