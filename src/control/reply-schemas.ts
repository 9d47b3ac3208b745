/** The shapes of the control API's replies, which `openapi.json` is made of. */
import type { ExecutableReply } from "../attachments/executable.js";
import { z } from "../common/zod.js";
import type { JsonObject } from "../driverapi/json.js";
import { PROFILE_KINDS } from "../isolation/profiling.js";
import { clusterHost, clusterStatus, fenceReply } from "./cluster-schemas.js";
import type { OperationName, Replies } from "./operations.js";
import type {
  AttachmentRow,
  CallInFlight,
  Endpoint,
  ErrorBody,
  Health,
  HostEvent,
  LearnReply,
  MethodCalls,
  Network,
  PluginDetails,
  PluginRow,
  PolicyInForce,
  Port,
  ProfileReply,
  Ready,
  Reason,
  ShapeReply,
  WhyCheck,
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
  scope: text,
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

const shapeReply: z.ZodType<ShapeReply> = z.object({
  ...{ endpoint: text, plugin: text, link: text },
  shape: z.record(z.string(), z.string()),
});

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
  cluster: clusterStatus,
  clusterHosts: z.object({ hosts: z.array(clusterHost) }),
  fence: fenceReply,
  attachments: z.object({ attachments: z.array(attachmentRow) }),
  cni: executableReply,
  podman: executableReply,
  health,
  ready,
};
