/** The sandboxes of a host's endpoints: `host.attach` moves a join's links into the sandbox that the journal records for it. */
import { DriverError } from "../driverapi/errors.js";
import { knownOptions } from "../driverapi/known-options.js";
import { parseId } from "../driverapi/names.js";
import type { NamespaceView } from "../permissions/netlink/backend.js";
import type { NetlinkHub } from "../permissions/netlink/hub.js";
import { netnsPath } from "../permissions/netlink/kernel/programs.js";
import { attach, type HomeNamespace, ownNamespace } from "../sandbox/attachment.js";
import { exclusively } from "../sandbox/keyed-mutex.js";
import { namespaceId, openNamespace, parseNetns } from "../sandbox/namespace.js";
import { planSandbox } from "../sandbox/plan.js";
import type { AttachedSandbox, AttachRequest } from "../sandbox/sandbox.js";
import type { JoinRecord } from "./calls/record.js";
import type { DriverRegistry } from "./registry.js";

/** Returns where a host's links are, for attaching sandboxes to its endpoints. */
export function homeOf(hub: NetlinkHub, netns: string | undefined): HomeNamespace {
  return {
    backend: hub.backend,
    // The namespace of a model has no name.
    netns: netns ?? (hub.kind === "model" ? "" : ownNamespace()),
    problem: (links) => hub.sandboxProblem(links),
    moved: (link, sandbox) => hub.moved(link, sandbox),
    returned: (link) => hub.returned(link),
  };
}

/** The namespace of the first process, as far as it can be seen. */
const MACHINES = "/proc/1/ns/net";

const NEEDED = ["type", "nid", "eid", "sandbox"] as const satisfies readonly (keyof AttachRequest)[];
const REQUEST = [...NEEDED, "name", "routes", "defaultRoute"] as const satisfies readonly (keyof AttachRequest)[];

export class Sandboxes {
  readonly #registry: DriverRegistry;
  readonly #hub: NetlinkHub;
  readonly #home: HomeNamespace;
  /** By join record: a join that was left and made again is a different one. */
  readonly #attached = new WeakMap<JoinRecord, "under way" | AttachedSandbox>();

  constructor(registry: DriverRegistry, hub: NetlinkHub, netns: string | undefined) {
    this.#registry = registry;
    this.#hub = hub;
    this.#home = homeOf(hub, netns);
  }

  /**
   * Returns what identifies the network namespace at a path. Throws `ERR_SANDBOX_NOT_FOUND` if it is not one, `ERR_SANDBOX_FAILED` if it
   * is the machine's own.
   */
  identify(sandbox: string): string {
    const netns = parseNetns(sandbox);
    const there = openNamespace(this.#home.backend, netns);
    const id = this.namespaceId(netns);
    if (id === undefined)
      throw new DriverError(
        "ERR_SANDBOX_NOT_FOUND",
        `sandbox "${netns}" is not a network namespace, but something else`,
      );
    if (there.isOneOf([this.#home.netns, ownNamespace(), MACHINES]))
      throw new DriverError(
        "ERR_SANDBOX_FAILED",
        `sandbox "${netns}": it is the machine's own namespace, which a driver may not configure`,
      );
    return id;
  }

  /** Returns a namespace's id, as `identify` does; undefined if the path does not lead to a network namespace. */
  namespaceId(netns: string): string | undefined {
    return namespaceId(this.#hub.kind, netns);
  }

  /** Returns what is in a sandbox, its own view: links with their addresses. Rejects if it cannot be read. */
  look(netns: string): Promise<NamespaceView> {
    return openNamespace(this.#home.backend, netns).look({ addresses: true });
  }

  /** Sets a default route through `dev` for each gateway whose family has none in a sandbox. Rejects with `ERR_SANDBOX_FAILED`. */
  async route(netns: string, dev: string, gateways: readonly string[]): Promise<void> {
    await exclusively(netnsPath(netns), async () => {
      const there = openNamespace(this.#home.backend, netns);
      const { routes } = await there.look({ routes: true });
      const wanted = gateways.map((via) => ({ destination: via.includes(":") ? "::/0" : "0.0.0.0/0", via, dev }));
      const missing = wanted.filter(
        ({ destination }) => !routes.some((one) => one.destination === destination && one.dev !== "lo"),
      );
      const failure = await there.run(missing.map((route) => ({ op: "addRoute", ...route })));
      if (failure)
        throw new DriverError(
          "ERR_SANDBOX_FAILED",
          `sandbox "${netns}": no default route through ${dev}: ${failure.words}`,
        );
    });
  }

  /** Implements `PluginHost.attach`. */
  async attach(request: AttachRequest): Promise<AttachedSandbox> {
    knownOptions("attach", request, REQUEST, NEEDED);
    const { type, nid, eid, sandbox, ...wishes } = request;
    const { records } = this.#registry.find(type);
    const endpoint = records.endpoint(parseId(nid, "network"), parseId(eid, "endpoint"));
    const { join } = endpoint;
    if (join?.phase !== "live" || join.data === undefined) {
      throw new DriverError("ERR_ENDPOINT_NOT_JOINED", `endpoint ${eid} is not joined to a sandbox; join it first`, {
        driver: type,
      });
    }
    const present = this.#attached.get(join);
    if (present !== undefined) {
      const where = present === "under way" ? "" : ` to sandbox "${present.sandbox}"; detach it first`;
      throw new DriverError("ERR_SANDBOX_ATTACHED", `endpoint ${eid} is attached already${where}`, { driver: type });
    }
    const netns = parseNetns(sandbox ?? join.sboxKey);
    const plan = planSandbox(endpoint.interfaces, join.data, wishes);
    const plugin = this.#registry.owner(type) ?? "";
    const foreign = plan.links.find(({ srcName }) => !this.#hub.owns(plugin, srcName));
    if (foreign) {
      throw new DriverError(
        "ERR_SANDBOX_FAILED",
        `interface ${foreign.id}: "${foreign.srcName}" is not a link that plugin "${plugin}" made, and is not moved`,
        { plugin, driver: type },
      );
    }
    this.#attached.set(join, "under way");
    try {
      const attached = await attach(this.#home, netns, plan);
      const known: AttachedSandbox = {
        ...attached,
        detach: async () => {
          await attached.detach();
          if (this.#attached.get(join) === known) this.#attached.delete(join);
        },
      };
      this.#attached.set(join, known);
      if (endpoint.join === join) return known;
      await known.detach();
      throw new DriverError("ERR_ENDPOINT_NOT_JOINED", `endpoint ${eid} left while its sandbox was attached`, {
        driver: type,
      });
    } catch (error) {
      this.#attached.delete(join);
      throw error;
    }
  }
}
