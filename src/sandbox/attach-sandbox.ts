/** `attachSandbox`: for a platform that already has what its driver recorded. `host.attach` reads it from the journal. */
import { DriverError } from "../driverapi/errors.js";
import { quote } from "../driverapi/quote.js";
import { sandboxHome } from "../host/plugin-host.js";
import { openBackend } from "../permissions/netlink/choose.js";
import { attach, type Home, ownNamespace } from "./attachment.js";
import { parseNetns } from "./namespace.js";
import { planSandbox } from "./plan.js";
import type { AttachedSandbox, AttachSandboxOptions } from "./sandbox.js";

/**
 * Moves an endpoint's links into a sandbox's network namespace, as libnetwork does after a join, or changes nothing. Each
 * interface that has names is moved, renamed to `dstPrefix` and the lowest free number, given its MAC and addresses, and
 * brought up, as is `lo`; then come the static routes, CONNECTED before NEXTHOP, and default gateways for families that have
 * none yet.
 * Rejects with `ERR_SANDBOX_FAILED`, which names the step; `ERR_SANDBOX_NOT_FOUND`; `ERR_OPTIONS`; and an error about
 * `endpoint` or `join` (`ERR_INTERFACE_…`, `ERR_ROUTE_…`, `ERR_BAD_…`).
 */
export async function attachSandbox(options: AttachSandboxOptions): Promise<AttachedSandbox> {
  const { sandbox, endpoint, join } = options;
  const netns = parseNetns(sandbox);
  const plan = planSandbox(plain(endpoint), plain(join));
  return attach(homeOf(options), netns, plan);
}

function plain(given: unknown): unknown {
  const { toJSON } = (given ?? {}) as { toJSON?: unknown };
  return typeof toJSON === "function" ? toJSON.call(given) : given;
}

function homeOf({ host, from, backend = "auto" }: AttachSandboxOptions): Home {
  if (host !== undefined) {
    const home = sandboxHome(host);
    if (home) return home;
    throw new DriverError("ERR_OPTIONS", 'option "host" is not a plugin host: give what createPluginHost gave');
  }
  if (backend !== "kernel" && backend !== "auto") {
    const why =
      backend === "model" ? "a model's links are in a host; give it as host" : `unknown backend ${quote(backend)}`;
    throw new DriverError("ERR_OPTIONS", `option "backend" must be "kernel" or "auto": ${why}`);
  }
  return homeIn(from);
}

/** Returns the kernel's namespace of that name or path. No ledger is kept for links that no host knows. */
function homeIn(from: string | undefined): Home {
  return {
    backend: openBackend({ backend: "kernel", netns: from }),
    netns: from ?? ownNamespace(),
    problem: async () => undefined,
    moved: async () => {},
    returned: async () => {},
  };
}
