/** How a link's traffic is shaped: as it is asked for, in texts with units, and as numbers. */
import { quote } from "../../common/quote.js";
import { TRAFFIC } from "./limits.js";

/** The fields of a shape. `rate` holds in each direction; the others act on what leaves by the link, towards its endpoint. */
export const SHAPE_FIELDS = ["rate", "burst", "delay", "jitter", "loss"] as const;
export type ShapeField = (typeof SHAPE_FIELDS)[number];

/** A shape as it is asked for. Without a field, the link is not shaped. */
export interface TrafficShape {
  /** `20mbit`: a number of at most three decimals, and bit, kbit, mbit or gbit per second. */
  readonly rate?: string;
  /** `64kb`: b, kb or mb, of 1,024. What may pass at once above the rate. Default: 10 ms at the rate, at least 16 KiB. */
  readonly burst?: string;
  /** `40ms`: us, ms or s. */
  readonly delay?: string;
  /** `5ms`: how much the delay varies, up and down; at most the delay. */
  readonly jitter?: string;
  /** `1%`: the share of packets that is dropped at random; at most three decimals. */
  readonly loss?: string;
}

/** A shape in numbers: bits per second, bytes, microseconds, percent. */
export type ShapeNumbers = { readonly [F in ShapeField]?: number };

interface Amount {
  readonly units: Readonly<Record<string, number>>;
  readonly min: number;
  readonly max: number;
  readonly example: string;
  /** The bounds, in words. */
  readonly bounds: string;
}

const TIME = { us: 1, ms: 1_000, s: 1_000_000 };

const AMOUNTS: Readonly<Record<ShapeField, Amount>> = {
  rate: {
    units: { bit: 1, kbit: 1_000, mbit: 1_000_000, gbit: 1_000_000_000 },
    min: TRAFFIC.rateMin,
    max: TRAFFIC.rateMax,
    example: "20mbit",
    bounds: "8kbit to 100gbit",
  },
  burst: {
    units: { b: 1, kb: 1_024, mb: 1_048_576 },
    min: TRAFFIC.burstMin,
    max: TRAFFIC.burstMax,
    example: "64kb",
    bounds: "1600b to 64mb",
  },
  delay: { units: TIME, min: 1, max: TRAFFIC.delayMax, example: "40ms", bounds: "1us to 10s" },
  jitter: { units: TIME, min: 1, max: TRAFFIC.delayMax, example: "5ms", bounds: "1us to 10s" },
  loss: { units: { "%": 1 }, min: 0.001, max: TRAFFIC.lossMax, example: "1%", bounds: "0.001% to 100%" },
};

/** Reads one amount; returns why it is not one, as a text. */
export function readAmount(field: ShapeField, text: string): number | string {
  const { units, min, max, example, bounds } = AMOUNTS[field];
  const [, digits = "", unit = ""] = /^(\d{1,12}(?:\.\d{1,3})?)([a-z]{1,4}|%)$/.exec(text) ?? [];
  const factor = Object.hasOwn(units, unit) ? units[unit] : undefined;
  if (factor === undefined) {
    const known = Object.keys(units).join(", ");
    return `${field} ${quote(text)} must be a number and a unit (${known}) without a space, such as ${example}`;
  }
  const value = factor === 1 && unit === "%" ? Number(digits) : Math.round(Number(digits) * factor);
  return value >= min && value <= max ? value : `${field} ${quote(text)} is outside ${bounds}`;
}

/** Returns a valid shape in numbers. Throws a plain Error for any other. */
export function numbersOf(shape: TrafficShape): ShapeNumbers {
  const numbers: { -readonly [F in ShapeField]?: number } = {};
  for (const field of SHAPE_FIELDS) {
    const text = shape[field];
    if (text === undefined) continue;
    const value = readAmount(field, text);
    if (typeof value === "string") throw new Error(value);
    numbers[field] = value;
  }
  return numbers;
}

/** True if two shapes do the same. */
export function sameShape(a: TrafficShape | undefined, b: TrafficShape | undefined): boolean {
  return SHAPE_FIELDS.every((field) => a?.[field] === b?.[field]);
}

export function isShaped(shape: TrafficShape | undefined): shape is TrafficShape {
  return shape !== undefined && SHAPE_FIELDS.some((field) => shape[field] !== undefined);
}

/** What `tbf` is given: bits per second; bytes at once; bytes that may wait, `burst` included. */
export interface Bucket {
  readonly rate: number;
  readonly burst: number;
  readonly limit: number;
}

/** Bytes of a packet besides its MTU: the Ethernet header and a VLAN tag. */
const FRAME_BYTES = 18;

/** Returns the bucket of a rate; undefined without a rate. `mtu`: the link's. */
export function bucketOf({ rate, burst }: ShapeNumbers, mtu: number): Bucket | undefined {
  if (rate === undefined) return undefined;
  const bytesIn = (ms: number): number => Math.ceil((rate / 8_000) * ms);
  const most = Math.min(Math.max(bytesIn(TRAFFIC.burstMs), TRAFFIC.burstLeast), TRAFFIC.burstMax);
  const own = burst ?? Math.max(most, leastBurst(mtu));
  return { rate, burst: own, limit: own + Math.max(bytesIn(TRAFFIC.queueMs), TRAFFIC.queueLeast) };
}

/** Returns the smallest burst, in bytes, that lets a full packet of the link pass. */
export function leastBurst(mtu: number): number {
  return mtu + FRAME_BYTES;
}

/** Returns how many packets may be under way in a delay: twice what its rate would send in that time, as packets of 1,000 bytes. */
export function delayedPackets({ rate = TRAFFIC.delayedRate, delay = 0, jitter = 0 }: ShapeNumbers): number {
  const packets = Math.ceil(((rate / 8_000) * ((delay + jitter) / 1_000) * 2) / 1_000);
  return Math.min(Math.max(packets, TRAFFIC.delayedLeast), TRAFFIC.delayedMost);
}

/** An operator's change: fields to set, and null for those to remove. */
export type ShapeChange = { readonly [F in keyof TrafficShape]: TrafficShape[F] | null };

/** Returns a shape with an operator's change in it. */
export function changedBy(shape: TrafficShape, change: ShapeChange): TrafficShape {
  const fields = SHAPE_FIELDS.flatMap((field) => {
    const value = change[field] === undefined ? shape[field] : change[field];
    return value === undefined || value === null ? [] : [[field, value]];
  });
  return Object.fromEntries(fields) as TrafficShape;
}
