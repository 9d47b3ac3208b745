/** `attachSandbox`: for a platform that already has what its driver recorded. `host.attach` reads it from the journal. */

import { quote } from "../common/quote.js";
import { DriverError } from "../driverapi/errors.js";
import type { InterfaceRecord } from "../driverapi/interfaces.js";
import { knownOptions } from "../driverapi/known-options.js";
import type { InterfaceData, JoinData } from "../driverapi/types.js";
import { openBackend } from "../permissions/netlink/choose.js";
import { attach, type HomeNamespace, ownNamespace } from "../sandbox/attachment.js";
import { parseNetns } from "../sandbox/namespace.js";
import { planSandbox } from "../sandbox/plan.js";
import type { AttachedSandbox } from "../sandbox/sandbox.js";
import type { PluginHost } from "./api.js";
import { homeNamespaceOf } from "./plugin-host.js";

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

const OPTIONS = [
  "sandbox",
  "endpoint",
  "join",
  "host",
  "from",
  "backend",
] as const satisfies readonly (keyof AttachSandboxOptions)[];

/**
 * Moves an endpoint's links into a sandbox's network namespace, as libnetwork does after a join, or changes nothing. Each
 * interface that has names is moved, renamed to `dstPrefix` and the lowest free number, given its MAC and addresses, and
 * brought up, as is `lo`; then come the static routes, CONNECTED before NEXTHOP, and default gateways for families that have
 * none yet.
 * Rejects with `ERR_SANDBOX_FAILED`, which names the step; `ERR_SANDBOX_NOT_FOUND`; `ERR_OPTIONS`; and an error about
 * `endpoint` or `join` (`ERR_INTERFACE_…`, `ERR_ROUTE_…`, `ERR_BAD_…`).
 */
export async function attachSandbox(options: AttachSandboxOptions): Promise<AttachedSandbox> {
  knownOptions("attachSandbox", options, OPTIONS);
  const { sandbox, endpoint, join } = options;
  const netns = parseNetns(sandbox);
  const plan = planSandbox(plain(endpoint), plain(join));
  return attach(homeOf(options), netns, plan);
}

function plain(given: unknown): unknown {
  const { toJSON } = (given ?? {}) as { toJSON?: unknown };
  return typeof toJSON === "function" ? toJSON.call(given) : given;
}

function homeOf({ host, from, backend = "auto" }: AttachSandboxOptions): HomeNamespace {
  if (host !== undefined) {
    const home = homeNamespaceOf(host);
    if (home) return home;
    throw new DriverError("ERR_OPTIONS", 'option "host" is not a plugin host: pass what createPluginHost returned');
  }
  if (backend !== "kernel" && backend !== "auto") {
    const why =
      backend === "model"
        ? 'the links of a model belong to a host; pass that as the option "host"'
        : `unknown backend ${quote(backend)}`;
    throw new DriverError("ERR_OPTIONS", `option "backend" must be "kernel" or "auto": ${why}`);
  }
  return homeIn(from);
}

/** Returns the kernel's namespace of that name or path. No ledger is kept for links that no host knows. */
function homeIn(from: string | undefined): HomeNamespace {
  return {
    backend: openBackend({ backend: "kernel", netns: from }),
    netns: from ?? ownNamespace(),
    problem: async () => undefined,
    moved: async () => {},
    returned: async () => {},
  };
}
