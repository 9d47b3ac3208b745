/** What the control API's replies hold. reply-schemas.ts has the same shapes for machines; the compiler compares the two. */
import type { Json, JsonObject } from "../driverapi/json.js";
import type { InterfaceData, JoinData } from "../driverapi/types.js";

/** A plugin, in a line. `null`: absent or unknown. */
export interface PluginRow {
  readonly id: string;
  readonly version: string | null;
  /** A `PluginState`. */
  readonly state: string;
  /** When that state began, as ISO 8601. */
  readonly since: string;
  /** Network types that it serves. */
  readonly types: readonly string[];
  readonly isolation: string | null;
  readonly wall: string | null;
  readonly pid: number | null;
  /** Resident memory of its host process, in MiB. */
  readonly memoryMb: number | null;
  /** CPU time of its workers so far, in milliseconds. */
  readonly cpuMs: number;
  /** Calls in progress. */
  readonly inFlight: number;
  readonly calls: number;
  readonly errors: number;
  readonly timeouts: number;
  readonly restarts: number;
  readonly violations: number;
  /** Latency of its replies, in milliseconds; `total` is their sum. */
  readonly latency: {
    readonly count: number;
    readonly p50: number;
    readonly p99: number;
    readonly max: number;
    readonly total: number;
  };
  /** Why it is not in service. */
  readonly reason: Reason | null;
}

export interface Reason {
  readonly code: string;
  readonly message: string;
  /** In the plugin author's own source. */
  readonly file?: string | undefined;
  readonly line?: number | undefined;
}

/** All about one plugin. */
export interface PluginDetails extends PluginRow {
  readonly sha256: string | null;
  /** Those of its types whose driver programs ports. */
  readonly external: readonly string[];
  readonly grant: { readonly scope: string; readonly permissions: JsonObject } | null;
  readonly limits: { readonly memoryMb: number; readonly cpuPercent: number; readonly drivers: number } | null;
  /** Deadlines by method, in milliseconds. */
  readonly deadlines: Readonly<Record<string, number>> | null;
  /** Answered calls; code `ok` for success. */
  readonly answers: readonly Answers[];
  /** Workers that the host terminated, by code. */
  readonly kills: Readonly<Record<string, number>>;
  /** The last errors, oldest first. */
  readonly lastErrors: readonly LastError[];
}

export interface Answers {
  readonly type: string;
  readonly method: string;
  readonly code: string;
  readonly count: number;
}

export interface LastError {
  readonly time: string;
  readonly code: string;
  readonly message: string;
  readonly type?: string | undefined;
  readonly method?: string | undefined;
}

/** A network, as the host has recorded it. */
export interface Network {
  readonly id: string;
  readonly type: string;
  readonly plugin: string;
  /** local or global: its driver's. */
  readonly scope: string;
  /** creating, live or deleting. */
  readonly phase: string;
  readonly endpoints: number;
  /** Workers that ended while it was being restored. */
  readonly kills: number;
  /** Why it could not be restored: it accepts deletes alone. */
  readonly failed: Reason | null;
  readonly options: JsonObject;
}

/** An endpoint, as the host has recorded it. */
export interface Endpoint {
  readonly id: string;
  readonly network: string;
  readonly type: string;
  readonly plugin: string;
  readonly phase: string;
  readonly interfaces: readonly InterfaceData[];
  readonly options: JsonObject;
  readonly join: { readonly phase: string; readonly sandbox: string; readonly data: JoinData | null } | null;
  /** Ports and the like that are programmed for it. */
  readonly external: JsonObject | null;
  /** True if an operator's call made it: no engine's request and no check for forgotten endpoints deletes it, unless its network goes. */
  readonly byHand: boolean;
}

/**
 * A change of an endpoint's link: amounts such as `20mbit` to set, null for those to remove; `reset`: back to what its driver asked for.
 * It holds until the link is gone.
 */
export interface ShapeRequest {
  readonly rate?: string | null | undefined;
  readonly burst?: string | null | undefined;
  readonly delay?: string | null | undefined;
  readonly jitter?: string | null | undefined;
  readonly loss?: string | null | undefined;
  readonly reset?: true | undefined;
}

/** How an endpoint's link is shaped now. */
export interface ShapeReply {
  readonly endpoint: string;
  readonly plugin: string;
  readonly link: string;
  /** The amounts in force. */
  readonly shape: Readonly<Record<string, string>>;
}

/** A call in progress. */
export interface CallInFlight {
  readonly plugin: string;
  readonly type: string;
  readonly method: string;
  readonly network: string | null;
  readonly endpoint: string | null;
  readonly since: string;
  readonly ms: number;
}

/** The answered calls of one method since the host began. */
export interface MethodCalls {
  readonly plugin: string;
  readonly type: string;
  readonly method: string;
  readonly calls: number;
  readonly errors: number;
  /** Sum of the times from call to answer, waiting included, in milliseconds. */
  readonly ms: number;
}

/** A published port. */
export interface Port {
  readonly plugin: string;
  readonly protocol: string;
  /** null: all addresses. */
  readonly hostIP: string | null;
  readonly hostPort: number;
  readonly ip: string;
  readonly port: number;
}

/** The policy that the host follows. */
export interface PolicyInForce {
  /** Its file, absolute; null: the platform gave the policy itself. */
  readonly file: string | null;
  /** What is in force. */
  readonly policy: JsonObject;
  /** Why the file could not be read the last time: an earlier policy is in force. */
  readonly problem: Reason | null;
}

/** A container of another platform, attached to a network. */
export interface AttachmentRow {
  readonly platform: string;
  /** The platform's name of the network; `nid` and `eid` are the ids that the driver knows. */
  readonly network: string;
  readonly container: string;
  readonly interface: string;
  readonly type: string;
  readonly nid: string;
  readonly eid: string;
  readonly netns: string;
  /** attaching, live or detaching. */
  readonly phase: string;
  readonly addresses: readonly string[];
  /** True if the container's ports are published through it. */
  readonly publishes: boolean;
}

export interface Health {
  readonly status: "ok" | "degraded";
  readonly pid: number;
  readonly uptimeMs: number;
  /** What is wrong with the data folder. */
  readonly problems: readonly string[];
}

export interface Ready {
  readonly ready: boolean;
  /** Plugins that are being loaded or restarted. */
  readonly waiting: readonly string[];
}

/** An event of the host (`event` is its name), or a line of its log (`event` is `log`). */
export interface HostEvent {
  readonly id: string;
  readonly time: string;
  readonly event: string;
  readonly plugin?: string | undefined;
  /** Of a line. */
  readonly level?: string | undefined;
  /** True for a line that the plugin wrote itself. */
  readonly own?: boolean | undefined;
  readonly code?: string | undefined;
  readonly message: string;
  readonly data?: JsonObject | undefined;
}

/** A driver call. `args`: the method's, without `epInfo` and `jinfo`. */
export interface CallRequest {
  readonly type: string;
  readonly method: string;
  readonly args?: readonly Json[] | undefined;
}

/** A question: why packets of `from` (an endpoint's id or address) do not arrive, in general or at `to`, at its port. */
export interface WhyRequest {
  readonly from: string;
  /** An endpoint's id or address, or an address outside. */
  readonly to?: string | undefined;
  readonly port?: number | undefined;
}

/** One check on the way. */
export interface WhyCheck {
  /** plugin, driver, network, join, sandbox, link, master, address, route, internal, port or forward. */
  readonly check: string;
  readonly holds: "yes" | "no" | "skipped";
  /** What was seen, in the host's records or in the kernel. */
  readonly evidence: string;
  /** A command or a step that helps. */
  readonly fix: string | null;
  /** The end or the way that it is about. */
  readonly of?: string | undefined;
}

export interface WhyReply {
  /** The first check that does not hold; null: all hold. */
  readonly cause: WhyCheck | null;
  readonly checks: readonly WhyCheck[];
}

/** Watches what a plugin uses of its permissions for `seconds` (default: 60). */
export interface LearnRequest {
  readonly seconds?: number | undefined;
}

/** The smallest grant that covers what a plugin holds and has used meanwhile. */
export interface LearnReply {
  readonly plugin: string;
  readonly seconds: number;
  /** For the plugin's entry in the policy, in the place of its `grant`. */
  readonly grant: JsonObject;
  /** Permissions that stay as they are granted, although no use was seen: the manifest requires them, or every plugin has them. */
  readonly kept: readonly string[];
  /** Permissions that were granted and not used: left out. */
  readonly unused: readonly string[];
  /** From the present grant to this one. */
  readonly differences: readonly { readonly text: string; readonly way: "more" | "less" | "gone" }[];
}

/** Asks for a CPU or heap profile of a plugin's worker over `seconds` (default: 10). */
export interface ProfileRequest {
  readonly kind: "cpu" | "heap";
  readonly seconds?: number | undefined;
}

export interface ProfileReply {
  readonly plugin: string;
  readonly kind: "cpu" | "heap";
  readonly seconds: number;
  /** By their own time or bytes, the greatest first. */
  readonly functions: readonly ProfiledFunction[];
  /** The contents of a `.cpuprofile` or `.heapprofile` file. */
  readonly profile: JsonObject;
}

export interface ProfiledFunction {
  readonly name: string;
  /** The author's file, or a module of Node's; null: the engine itself. */
  readonly file: string | null;
  /** From 1; null: unknown. */
  readonly line: number | null;
  /** Milliseconds, or bytes that were allocated meanwhile and are in use. */
  readonly self: number;
  /** Percentage of the total of all functions. */
  readonly share: number;
}

export interface ErrorBody {
  readonly code: string;
  readonly message: string;
  readonly plugin?: string | undefined;
  /** The part of the request that is wrong, such as `body.method`. */
  readonly field?: string | undefined;
}
