/** What a platform passes to attach a sandbox, and what it gets back. Types only. */
import type { InterfaceRecord } from "../driverapi/interfaces.js";
import type { InterfaceData, JoinData } from "../driverapi/types.js";
import type { PluginHost } from "../host/plugin-host.js";

/** Options of `attachSandbox`. */
export interface AttachSandboxOptions {
  /** The sandbox's network namespace: a name under `/run/netns`, or an absolute path. */
  readonly sandbox: string;
  /** The endpoint's interfaces: an `EndpointConfig` as createEndpoint left it, or its data. */
  readonly endpoint: { toJSON(): readonly InterfaceData[] } | readonly InterfaceRecord[];
  /** What the driver recorded in the join: a `JoinConfig` as join left it, or its data. */
  readonly join: { toJSON(): JoinData } | JoinData;
  /** The host whose driver created the links: its namespace and backend are used, and its records follow the links. */
  readonly host?: PluginHost | undefined;
  /** Without `host`: the namespace the links are in, a name or a path. Default: the process's own. */
  readonly from?: string | undefined;
  /** Without `host`: "kernel" or "auto", which mean the same; a model's links belong to a host, and need `host`. */
  readonly backend?: "kernel" | "model" | "auto" | undefined;
}

/** One link of an attached sandbox. */
export interface AttachedLink {
  /** The interface's id. */
  readonly id: number;
  /** Its name outside the sandbox. */
  readonly srcName: string;
  /** Its name inside the sandbox: the driver's `dstPrefix` and the lowest number that was free. */
  readonly name: string;
}

/** A sandbox that has been attached. */
export interface AttachedSandbox {
  readonly sandbox: string;
  readonly links: readonly AttachedLink[];
  /** The default gateways that were set; "" where the driver gave none, or the sandbox already had one of that family. */
  readonly gateway: string;
  readonly gatewayIPv6: string;
  /**
   * Moves the links back under their own names, down and without addresses, so that the driver can delete them. A link
   * or a namespace that is gone is not an error, and a second call is harmless. Rejects with `ERR_SANDBOX_FAILED`, and
   * may then be tried again.
   */
  detach(): Promise<void>;
}

/** Argument of `host.attach`. */
export interface AttachRequest {
  /** The network type. */
  readonly type: string;
  readonly nid: string;
  readonly eid: string;
  /** The sandbox's network namespace, a name or a path. Default: the sandbox key the endpoint was joined with. */
  readonly sandbox?: string | undefined;
}
