/** The control API's shapes: what requests are checked against, and what `openapi.json` is made of. */
import type { ExecutableReply, ExecutableRequest } from "../attachments/executable.js";
import { z } from "../common/zod.js";
import type { JsonObject } from "../driverapi/json.js";
import { PROFILE_KINDS } from "../isolation/profiling.js";
import { LEARNING } from "../learning/limits.js";
import { PROFILE } from "../profile/limits.js";
import { CALL_METHODS } from "./call-arguments.js";
import type { Bodies, OperationName, Replies } from "./operations.js";
import type {
  AttachmentRow,
  CallInFlight,
  CallRequest,
  Endpoint,
  ErrorBody,
  Health,
  HostEvent,
  LearnReply,
  LearnRequest,
  MethodCalls,
  Network,
  PluginDetails,
  PluginRow,
  PolicyInForce,
  Port,
  ProfileReply,
  ProfileRequest,
  Ready,
  Reason,
  ShapeReply,
  ShapeRequest,
  WhyCheck,
  WhyRequest,
} from "./types.js";

const text = z.string();
const count = z.int().min(0);
const object: z.ZodType<JsonObject> = z.record(z.string(), z.json()) as z.ZodType<JsonObject>;
const time = z.iso.datetime();

const reason: z.ZodType<Reason> = z.object({
  code: text,
  message: text,
  file: text.optional(),
  line: count.optional(),
});

const row = {
  id: text,
  version: text.nullable(),
  state: text,
  since: time,
  types: z.array(text),
  isolation: text.nullable(),
  wall: text.nullable(),
  pid: count.nullable(),
  memoryMb: z.number().nullable(),
  cpuMs: count,
  inFlight: count,
  calls: count,
  errors: count,
  timeouts: count,
  restarts: count,
  violations: count,
  latency: z.object({ count, p50: z.number(), p99: z.number(), max: z.number(), total: z.number() }),
  reason: reason.nullable(),
};

const pluginRow: z.ZodType<PluginRow> = z.object(row);

const pluginDetails: z.ZodType<PluginDetails> = z.object({
  ...row,
  sha256: text.nullable(),
  external: z.array(text),
  grant: z.object({ scope: text, permissions: object }).nullable(),
  limits: z.object({ memoryMb: z.number(), cpuPercent: z.number(), drivers: z.number() }).nullable(),
  deadlines: z.record(z.string(), z.number()).nullable(),
  answers: z.array(z.object({ type: text, method: text, code: text, count })),
  kills: z.record(z.string(), count),
  lastErrors: z.array(z.object({ time, code: text, message: text, type: text.optional(), method: text.optional() })),
});

const network: z.ZodType<Network> = z.object({
  id: text,
  type: text,
  plugin: text,
  phase: text,
  endpoints: count,
  kills: count,
  failed: reason.nullable(),
  options: object,
});

const interfaces = z.array(z.object({ id: count, mac: text, ipv4: text, ipv6: text }));
const joinData = z.object({
  names: z.array(z.object({ id: count, srcName: text, dstPrefix: text })),
  gateway: text,
  gatewayIPv6: text,
  staticRoutes: z.array(
    z.object({
      destination: text,
      routeType: z.union([z.literal(0), z.literal(1)]),
      nextHop: text,
      interfaceID: count,
    }),
  ),
});

const endpoint: z.ZodType<Endpoint> = z.object({
  id: text,
  network: text,
  type: text,
  plugin: text,
  phase: text,
  interfaces,
  options: object,
  join: z.object({ phase: text, sandbox: text, data: joinData.nullable() }).nullable(),
  external: object.nullable(),
  byHand: z.boolean(),
});

const call: z.ZodType<CallInFlight> = z.object({
  plugin: text,
  type: text,
  method: text,
  network: text.nullable(),
  endpoint: text.nullable(),
  since: time,
  ms: z.number(),
});

const port: z.ZodType<Port> = z.object({
  plugin: text,
  protocol: text,
  hostIP: text.nullable(),
  hostPort: count,
  ip: text,
  port: count,
});

const policy: z.ZodType<PolicyInForce> = z.object({
  file: text.nullable(),
  policy: object,
  problem: reason.nullable(),
});

const attachmentRow: z.ZodType<AttachmentRow> = z.object({
  ...{ platform: text, network: text, container: text, interface: text, type: text, nid: text, eid: text },
  ...{ netns: text, phase: text, addresses: z.array(text), publishes: z.boolean() },
});

/** What an executable of another platform was started with. */
export const executableRequest: z.ZodType<ExecutableRequest> = z.strictObject({
  driver: z.string().min(1).max(64),
  args: z.array(z.string().max(65_536)).max(8),
  env: z.record(z.string().max(64), z.string().max(65_536)),
  input: z.string(),
});

const executableReply: z.ZodType<ExecutableReply> = z.object({ exit: count, output: text });

const health: z.ZodType<Health> = z.object({
  status: z.enum(["ok", "degraded"]),
  pid: count,
  uptimeMs: z.number(),
  problems: z.array(text),
});

const ready: z.ZodType<Ready> = z.object({ ready: z.boolean(), waiting: z.array(text) });

/** One event of the stream. */
export const hostEvent: z.ZodType<HostEvent> = z.object({
  id: text,
  time,
  event: text,
  plugin: text.optional(),
  level: z.enum(["debug", "info", "warn", "error"]).optional(),
  own: z.boolean().optional(),
  code: text.optional(),
  message: text,
  data: object.optional(),
});

export const errorBody: z.ZodType<ErrorBody> = z.object({
  code: text,
  message: text,
  plugin: text.optional(),
  field: text.optional(),
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

const learnReply: z.ZodType<LearnReply> = z.object({
  plugin: text,
  seconds: z.number(),
  grant: object,
  kept: z.array(text),
  unused: z.array(text),
  differences: z.array(z.object({ text, way: z.enum(["more", "less", "gone"]) })),
});

const methodCalls: z.ZodType<MethodCalls> = z.object({
  ...{ plugin: text, type: text, method: text, calls: count, errors: count, ms: z.number() },
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

const shapeReply: z.ZodType<ShapeReply> = z.object({
  ...{ endpoint: text, plugin: text, link: text },
  shape: z.record(z.string(), z.string()),
});

/** The bodies of the operations that take one. */
export const BODIES: { readonly [N in keyof Bodies]: z.ZodType<Bodies[N]> } = {
  call: callRequest,
  learn: learnRequest,
  profile: profileRequest,
  shape: shapeRequest,
  why: whyRequest,
  cni: executableRequest,
  podman: executableRequest,
};

const profileReply: z.ZodType<ProfileReply> = z.object({
  plugin: text,
  kind: z.enum(PROFILE_KINDS),
  seconds: z.number(),
  functions: z.array(
    z.object({ name: text, file: text.nullable(), line: count.nullable(), self: z.number(), share: z.number() }),
  ),
  profile: object,
});

const whyCheck: z.ZodType<WhyCheck> = z.object({
  check: text,
  holds: z.enum(["yes", "no", "skipped"]),
  evidence: text,
  fix: text.nullable(),
  of: text.optional(),
});

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

/** Each operation's reply. */
export const REPLIES: { readonly [N in OperationName]: z.ZodType<Replies[N]> } = {
  plugins: z.object({ plugins: z.array(pluginRow) }),
  plugin: pluginDetails,
  restart: pluginDetails,
  stop: pluginDetails,
  start: pluginDetails,
  reload: pluginDetails,
  quarantine: pluginDetails,
  apply: pluginDetails,
  profile: profileReply,
  learn: learnReply,
  policy,
  networks: z.object({ networks: z.array(network) }),
  endpoints: z.object({ endpoints: z.array(endpoint) }),
  shape: shapeReply,
  calls: z.object({ calls: z.array(call) }),
  methods: z.object({ methods: z.array(methodCalls) }),
  ports: z.object({ ports: z.array(port) }),
  call: z.object({ result: z.unknown() }),
  why: z.object({ cause: whyCheck.nullable(), checks: z.array(whyCheck) }),
  attachments: z.object({ attachments: z.array(attachmentRow) }),
  cni: executableReply,
  podman: executableReply,
  health,
  ready,
};
