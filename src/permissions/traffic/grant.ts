/** The limits of a `traffic` grant in a manifest or a policy. */
import { z } from "../../common/zod.js";
import { TRAFFIC } from "./limits.js";
import type { ShapeField } from "./shape.js";

/** What can be granted: `rate` with its burst, `delay` with its jitter, `loss`. */
export const EFFECTS = ["rate", "delay", "loss"] as const;
export type Effect = (typeof EFFECTS)[number];

/** The effect that a shape's field needs. */
export const EFFECT_OF: Readonly<Record<ShapeField, Effect>> = {
  rate: "rate",
  burst: "rate",
  delay: "delay",
  jitter: "delay",
  loss: "loss",
};

/** `traffic`: rate, delay and loss of the plugin's own links. */
export type TrafficLimits = {
  /** What it may set. */
  readonly effects: readonly Effect[];
  /** Lowest rate it may set, in kbit per second. A floor: the higher value is stricter. */
  readonly minKbit: number;
  /** Highest rate it may set, in kbit per second. */
  readonly maxKbit: number;
  /** Longest delay it may set, in milliseconds. */
  readonly maxDelayMs: number;
  /** Highest loss it may set, in percent. */
  readonly maxLossPercent: number;
  /** Most links it may shape at a time. */
  readonly max: number;
};

const KBIT = { min: TRAFFIC.rateMin / 1_000, max: TRAFFIC.rateMax / 1_000 } as const;
const kbit = z.exactOptional(z.int().min(KBIT.min).max(KBIT.max));

/** Schema of the limits. Each is optional. */
export const trafficLimits: z.ZodObject = z.strictObject({
  effects: z.exactOptional(z.array(z.enum(EFFECTS)).max(EFFECTS.length)),
  minKbit: kbit,
  maxKbit: kbit,
  maxDelayMs: z.exactOptional(
    z
      .int()
      .min(1)
      .max(TRAFFIC.delayMax / 1_000),
  ),
  maxLossPercent: z.exactOptional(z.int().min(1).max(TRAFFIC.lossMax)),
  max: z.exactOptional(z.int().min(1).max(65_536)),
});

/** Defaults where neither side names a limit. */
export const trafficDefaults: TrafficLimits = {
  effects: EFFECTS,
  minKbit: KBIT.min,
  maxKbit: KBIT.max,
  maxDelayMs: TRAFFIC.delayMax / 1_000,
  maxLossPercent: TRAFFIC.lossMax,
  max: 256,
};
