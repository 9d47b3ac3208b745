/** The sandboxes of a host's endpoints: `host.attach` moves a join's links into the sandbox that the journal records for it. */
import { DriverError } from "../driverapi/errors.js";
import { knownOptions } from "../driverapi/known-options.js";
import { parseId } from "../driverapi/names.js";
import type { NetlinkHub } from "../permissions/netlink/hub.js";
import { attach, type HomeNamespace, ownNamespace } from "../sandbox/attachment.js";
import { parseNetns } from "../sandbox/namespace.js";
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

  /** Implements `PluginHost.attach`. */
  async attach(request: AttachRequest): Promise<AttachedSandbox> {
    knownOptions("attach", request, ["type", "nid", "eid", "sandbox"] satisfies readonly (keyof AttachRequest)[]);
    const { type, nid, eid, sandbox } = request;
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
    const plan = planSandbox(endpoint.interfaces, join.data);
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
