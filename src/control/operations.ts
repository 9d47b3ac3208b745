/** The control API's operations, by name. Server, client and `openapi.json` are made of this table and of request-schemas.ts and reply-schemas.ts. */
import { join } from "node:path";
import type { ExecutableReply, ExecutableRequest } from "../attachments/executable.js";
import type { ClusterHost, ClusterStatus, FenceReply, FenceRequest } from "./cluster-types.js";
import type {
  AttachmentRow,
  CallInFlight,
  CallRequest,
  Endpoint,
  Health,
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
  ShapeReply,
  ShapeRequest,
  WhyReply,
  WhyRequest,
} from "./types.js";

export interface Operation {
  readonly method: "GET" | "POST";
  /** `{id}` is a parameter. */
  readonly path: string;
  readonly summary: string;
  /** It changes something: an audit line says who asked for it. */
  readonly changes?: true;
}

export const OPERATIONS = {
  plugins: { method: "GET", path: "/v1/plugins", summary: "list the plugins" },
  plugin: { method: "GET", path: "/v1/plugins/{id}", summary: "show all about one plugin" },
  restart: {
    method: "POST",
    path: "/v1/plugins/{id}/restart",
    summary: "end its worker, start the same bytes again, and replay its networks",
    changes: true,
  },
  stop: {
    method: "POST",
    path: "/v1/plugins/{id}/stop",
    summary: "refuse its calls, and end its worker when those in progress are answered, within five seconds",
    changes: true,
  },
  start: {
    method: "POST",
    path: "/v1/plugins/{id}/start",
    summary: "lift a stop or a quarantine, and load its files",
    changes: true,
  },
  reload: {
    method: "POST",
    path: "/v1/plugins/{id}/reload",
    summary: "load its files again; the version that runs serves until the new one replaces it",
    changes: true,
  },
  quarantine: {
    method: "POST",
    path: "/v1/plugins/{id}/quarantine",
    summary: "terminate its worker at once and refuse its calls; links and rules stay",
    changes: true,
  },
  apply: {
    method: "POST",
    path: "/v1/plugins/{id}/apply",
    summary: "read the policy again, and answer when the plugin has settled under it; other plugins follow",
    changes: true,
  },
  profile: {
    method: "POST",
    path: "/v1/plugins/{id}/profile",
    summary: "take a CPU or heap profile of its worker while it serves",
    changes: true,
  },
  learn: {
    method: "POST",
    path: "/v1/plugins/{id}/learn",
    summary: "watch what it uses of its permissions for a while, and propose the smallest grant",
  },
  policy: { method: "GET", path: "/v1/policy", summary: "show the policy in force" },
  networks: { method: "GET", path: "/v1/networks", summary: "list the networks that the host has recorded" },
  endpoints: { method: "GET", path: "/v1/endpoints", summary: "list the endpoints that the host has recorded" },
  shape: {
    method: "POST",
    path: "/v1/endpoints/{id}/shape",
    summary: "change rate, delay and loss of an endpoint's link while it is in use",
    changes: true,
  },
  calls: { method: "GET", path: "/v1/calls", summary: "list the calls in progress" },
  methods: {
    method: "GET",
    path: "/v1/methods",
    summary: "list the methods called so far, with the number and total time of their calls",
  },
  ports: { method: "GET", path: "/v1/ports", summary: "list the published ports" },
  cluster: {
    method: "GET",
    path: "/v1/cluster",
    summary: "show the store that hosts share, and what plugins use of it",
  },
  clusterHosts: {
    method: "GET",
    path: "/v1/cluster/hosts",
    summary: "list the hosts that hold a lease in it, and those that are fenced",
  },
  fence: {
    method: "POST",
    path: "/v1/cluster/hosts/{id}/fence",
    summary: "state that a host is gone, so that drivers free what it had; or take that back",
    changes: true,
  },
  call: { method: "POST", path: "/v1/call", summary: "call a driver's method", changes: true },
  why: { method: "POST", path: "/v1/why", summary: "say why packets of an endpoint do not arrive" },
  attachments: {
    method: "GET",
    path: "/v1/attachments",
    summary: "list the containers of other platforms that are attached to networks",
  },
  cni: { method: "POST", path: "/v1/cni", summary: "answer an executable that a CNI runtime has started" },
  podman: { method: "POST", path: "/v1/podman", summary: "answer an executable that Podman or netavark has started" },
  health: {
    method: "GET",
    path: "/v1/health",
    summary: "answer while the host lives; 503 if its data folder has a problem",
  },
  ready: { method: "GET", path: "/v1/ready", summary: "200 once no plugin is being loaded or restarted, else 503" },
} as const;

export type OperationName = keyof typeof OPERATIONS;

/** The body of each operation's reply. */
export interface Replies {
  readonly plugins: { readonly plugins: readonly PluginRow[] };
  readonly plugin: PluginDetails;
  readonly restart: PluginDetails;
  readonly stop: PluginDetails;
  readonly start: PluginDetails;
  readonly reload: PluginDetails;
  readonly quarantine: PluginDetails;
  readonly apply: PluginDetails;
  readonly profile: ProfileReply;
  readonly learn: LearnReply;
  readonly policy: PolicyInForce;
  readonly networks: { readonly networks: readonly Network[] };
  readonly endpoints: { readonly endpoints: readonly Endpoint[] };
  readonly shape: ShapeReply;
  readonly calls: { readonly calls: readonly CallInFlight[] };
  readonly methods: { readonly methods: readonly MethodCalls[] };
  readonly ports: { readonly ports: readonly Port[] };
  readonly cluster: ClusterStatus;
  readonly clusterHosts: { readonly hosts: readonly ClusterHost[] };
  readonly fence: FenceReply;
  readonly call: { readonly result: unknown };
  readonly why: WhyReply;
  readonly attachments: { readonly attachments: readonly AttachmentRow[] };
  readonly cni: ExecutableReply;
  readonly podman: ExecutableReply;
  readonly health: Health;
  readonly ready: Ready;
}

/** The bodies of the operations that take one. */
export interface Bodies {
  readonly call: CallRequest;
  readonly learn: LearnRequest;
  readonly profile: ProfileRequest;
  readonly shape: ShapeRequest;
  readonly fence: FenceRequest;
  readonly why: WhyRequest;
  readonly cni: ExecutableRequest;
  readonly podman: ExecutableRequest;
}

/** What an operation takes besides its name. */
export interface Input {
  readonly id?: string | undefined;
  readonly body?: Bodies[keyof Bodies] | undefined;
  /** The program that forwarded the request, for the audit log. */
  readonly via?: string | undefined;
  /** Aborted when the client's connection has closed. */
  readonly gone?: AbortSignal | undefined;
}

/** The header in which a program that forwards requests names itself. */
export const VIA_HEADER = "bulkhead-via";
/** Path of the events: server-sent events, not a JSON reply. */
export const EVENTS_PATH = "/v1/events";
/** Path of the metrics, which are text. */
export const METRICS_PATH = "/metrics";
/** Path of the table of plugins, which is text; `?colour=true` for a terminal. */
export const TABLE_PATH = "/v1/plugins.txt";
/** Path of the API's own description. */
export const OPENAPI_PATH = "/v1/openapi.json";

/** Returns where `bulkhead serve` opens the control socket of a host with this data folder. */
export function controlPath(dataDir: string): string {
  return join(dataDir, "control.sock");
}
