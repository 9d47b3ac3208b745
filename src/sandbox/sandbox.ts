/** What a platform hands over to attach a sandbox, and what it gets. Types only. */
import type { InterfaceRecord } from "../driverapi/interfaces.js";
import type { InterfaceData, JoinData } from "../driverapi/types.js";
import type { PluginHost } from "../host/plugin-host.js";

/** What `attachSandbox` takes. */
export interface AttachSandboxOptions {
  /** The sandbox's network namespace: a name under `/run/netns`, or an absolute path. */
  readonly sandbox: string;
  /** The endpoint's interfaces: an `EndpointConfig` as createEndpoint left it, or its data. */
  readonly endpoint: { toJSON(): readonly InterfaceData[] } | readonly InterfaceRecord[];
  /** What the driver recorded in the join: a `JoinConfig` as join left it, or its data. */
  readonly join: { toJSON(): JoinData } | JoinData;
  /** The host whose driver made the links: its namespace and backend are used, and its records follow the links. */
  readonly host?: PluginHost | undefined;
  /** Without `host`: the namespace the links are in, a name or a path. Default: the process's own. */
  readonly from?: string | undefined;
  /** Without `host`: "kernel" or "auto", which are the same; a model's links are in a host, and need `host`. */
  readonly backend?: "kernel" | "model" | "auto" | undefined;
}

/** One link of an attached sandbox. */
export interface AttachedLink {
  /** The interface's id. */
  readonly id: number;
  /** Its name outside. */
  readonly srcName: string;
  /** Its name inside: the driver's `dstPrefix` and the lowest number that was free. */
  readonly name: string;
}

/** A sandbox that has been attached. */
export interface AttachedSandbox {
  readonly sandbox: string;
  readonly links: readonly AttachedLink[];
  /** The default gateways that were set; "" where the driver gave none, or the sandbox had one of that family already. */
  readonly gateway: string;
  readonly gatewayIPv6: string;
  /**
   * Moves the links back under their own names, down and without addresses, so that the driver can delete them. A link or a
   * namespace that is gone is no error; twice is harmless. Rejects with `ERR_SANDBOX_FAILED`, and may then be tried again.
   */
  detach(): Promise<void>;
}

/** What `host.attach` takes. */
export interface AttachRequest {
  /** The network type. */
  readonly type: string;
  readonly nid: string;
  readonly eid: string;
  /** The sandbox's network namespace, a name or a path. Default: the sandbox key the endpoint was joined with. */
  readonly sandbox?: string | undefined;
}
