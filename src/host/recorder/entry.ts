/** What the flight recorder keeps, a line of JSON each. Texts from plugins are bounded; the commands that show them escape them. */
import { z } from "../../common/zod.js";
import type { Json } from "../../driverapi/json.js";

interface Timed {
  /** When it began, in milliseconds since 1970. */
  readonly time: number;
  readonly plugin: string;
  /** Time until it was answered, in milliseconds. */
  readonly ms: number;
  /** The code of its error; absent: it succeeded. */
  readonly code?: string | undefined;
  readonly message?: string | undefined;
}

/** A call of the platform's to a driver. */
export interface RecordedCall extends Timed {
  readonly kind: "call";
  readonly type: string;
  readonly method: string;
  /** As the host sent them; absent: they were too long. */
  readonly args?: readonly Json[] | undefined;
}

/** A request of a plugin's to its host, such as `netlink.createLink`. */
export interface RecordedRequest extends Timed {
  readonly kind: "request";
  readonly name: string;
  /** The beginning of its arguments. */
  readonly args: string;
}

/** A change of a plugin's worker. */
export interface RecordedEvent {
  readonly kind: "event";
  readonly time: number;
  readonly plugin: string;
  readonly event: string;
  readonly reason?: string | undefined;
}

/** Calls and requests that came faster than they are recorded. */
export interface RecordedGap {
  readonly kind: "gap";
  readonly time: number;
  readonly missed: number;
}

export type Entry = RecordedCall | RecordedRequest | RecordedEvent | RecordedGap;

/** Milliseconds since 1970 that a date can have. */
const time = z.number().min(0).max(8_640_000_000_000_000);

const timed = {
  time,
  plugin: z.string(),
  ms: z.number(),
  code: z.string().optional(),
  message: z.string().optional(),
};

const entry: z.ZodType<Entry> = z.discriminatedUnion("kind", [
  z.object({
    ...{ kind: z.literal("call"), ...timed, type: z.string(), method: z.string() },
    args: z.array(z.json()).optional(),
  }),
  z.object({ kind: z.literal("request"), ...timed, name: z.string(), args: z.string() }),
  z.object({
    ...{ kind: z.literal("event"), time, plugin: z.string(), event: z.string() },
    reason: z.string().optional(),
  }),
  z.object({ kind: z.literal("gap"), time, missed: z.int().min(0) }),
]) as z.ZodType<Entry>;

/** Reads one line. Returns undefined if it is not an entry, such as the incomplete last line of a host that was killed. */
export function readEntry(line: string): Entry | undefined {
  try {
    return entry.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}
