/** What requests to the control API are checked against: bodies, paths and queries. `openapi.json` is made of it too. */
import type { ExecutableRequest } from "../attachments/executable.js";
import { z } from "../common/zod.js";
import { PROFILE_KINDS } from "../isolation/profiling.js";
import { LEARNING } from "../learning/limits.js";
import { PROFILE } from "../profile/limits.js";
import { CALL_METHODS } from "./call-arguments.js";
import { fenceRequest } from "./cluster-schemas.js";
import type { Bodies } from "./operations.js";
import type { CallRequest, LearnRequest, ProfileRequest, ShapeRequest, WhyRequest } from "./types.js";

/** What an executable of another platform was started with. */
export const executableRequest: z.ZodType<ExecutableRequest> = z.strictObject({
  driver: z.string().min(1).max(64),
  args: z.array(z.string().max(65_536)).max(8),
  env: z.record(z.string().max(64), z.string().max(65_536)),
  input: z.string(),
});

/** The parameter of a path. */
export const idParams: z.ZodType<{ readonly id: string }> = z.object({ id: z.string().min(1).max(256) });

/** The body of `call`. */
const callRequest: z.ZodType<CallRequest> = z.strictObject({
  type: z.string().min(1).max(64),
  method: z.enum(CALL_METHODS),
  args: z.array(z.json()).max(8).optional(),
});

/** The body of `why`. */
const whyRequest: z.ZodType<WhyRequest> = z.strictObject({
  from: z.string().min(1).max(256),
  to: z.string().min(1).max(256).optional(),
  port: z.int().min(1).max(65_535).optional(),
});

/** The body of `learn`. */
const learnRequest: z.ZodType<LearnRequest> = z.strictObject({
  seconds: z.number().min(0).max(LEARNING.maxSeconds).optional(),
});

/** The body of `profile`. */
const profileRequest: z.ZodType<ProfileRequest> = z.strictObject({
  kind: z.enum(PROFILE_KINDS),
  seconds: z.number().min(0.1).max(PROFILE.maxSeconds).optional(),
});

const amount = z.string().min(1).max(32).nullable().optional();

/** The body of `shape`. */
const shapeRequest: z.ZodType<ShapeRequest> = z.union([
  z.strictObject({ reset: z.literal(true) }),
  z
    .strictObject({ rate: amount, burst: amount, delay: amount, jitter: amount, loss: amount })
    .refine(
      (fields) => Object.keys(fields).length > 0,
      "an amount is missing: give rate, delay, jitter, loss or burst",
    ),
]);

/** The bodies of the operations that take one. */
export const BODIES: { readonly [N in keyof Bodies]: z.ZodType<Bodies[N]> } = {
  call: callRequest,
  learn: learnRequest,
  profile: profileRequest,
  shape: shapeRequest,
  fence: fenceRequest,
  why: whyRequest,
  cni: executableRequest,
  podman: executableRequest,
};

/** The query of the events. */
export interface EventsQuery {
  /** Only what comes after the event with this id; the header `Last-Event-ID` says the same. */
  readonly since?: string | undefined;
  /** Only what concerns this plugin. */
  readonly plugin?: string | undefined;
  /** Only log lines, or only events. */
  readonly kind?: "log" | "event" | undefined;
  /** At most so many of those that are kept. */
  readonly last?: number | undefined;
  /** `false`: the stream ends after those that are kept. Default: true. */
  readonly follow?: "true" | "false" | undefined;
}

export const eventsQuery: z.ZodType<EventsQuery> = z.strictObject({
  since: z.string().max(64).optional(),
  plugin: z.string().max(256).optional(),
  kind: z.enum(["log", "event"]).optional(),
  last: z.coerce.number().int().min(0).max(1_000_000).optional(),
  follow: z.enum(["true", "false"]).optional(),
});

/** What a client asks of the table of plugins. */
export const tableQuery: z.ZodType<{ readonly colour?: "true" | "false" | undefined }> = z.strictObject({
  colour: z.enum(["true", "false"]).optional(),
});
