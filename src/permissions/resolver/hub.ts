/** One host's resolver: the plugin that answers at each address, its queries, and its questions to upstream servers. */
import { monotonicNow } from "../../common/clock.js";
import type { OperatorLog } from "../../common/logger.js";
import { Mutex } from "../../common/mutex.js";
import { DriverError } from "../../driverapi/errors.js";
import type { Json } from "../../driverapi/json.js";
import { networkOf, textOf } from "../netlink/cidr.js";
import type { NetlinkHub } from "../netlink/hub.js";
import type { HostPower } from "../permission.js";
import type { ResolverBackend } from "./backend.js";
import { openResolver } from "./choose.js";
import { failed, refused } from "./errors.js";
import { parseUpstream, type ResolverLimits } from "./grant.js";
import { createResolverPower } from "./host.js";
import { RESOLVER } from "./limits.js";
import { PluginQueries } from "./queries.js";
import type { ResolverRequest } from "./request.js";
import { checkRules } from "./rules.js";

/** What `createResolverHub` takes. */
export interface ResolverHubOptions {
  /** Knows which plugin owns each bridge, and whether this host works on the kernel or on a model. */
  readonly netlink: NetlinkHub;
  /** The namespace netlink works in: a name, a path, or absent. */
  readonly netns?: string | undefined;
  readonly logger: OperatorLog;
  /** Replaces the backend that netlink's kind and `netns` would choose. */
  readonly use?: ResolverBackend | undefined;
}

/** One host's resolver. */
export interface ResolverHub {
  /** The backend itself: calls to it are not checked against any grant. */
  readonly backend: ResolverBackend;
  /** Opens a plugin's power. */
  open(plugin: string, limits: ResolverLimits): HostPower;
  /** Closes all sockets. Idempotent. */
  close(): Promise<void>;
}

/** Opens the resolver of one host. Nothing is started before the first request. */
export function createResolverHub({ netlink, netns, logger, use }: ResolverHubOptions): ResolverHub {
  return new Hub(netlink, use ?? openResolver(netlink.kind, netns, logger));
}

/** What one plugin has. */
interface Served {
  readonly plugin: string;
  readonly limits: ResolverLimits;
  readonly queries: PluginQueries;
  asking: number;
}

/** An address at which a plugin answers. */
interface Listening {
  readonly served: Served;
  readonly bridge: string;
}

class Hub implements ResolverHub {
  readonly backend: ResolverBackend;
  readonly #netlink: NetlinkHub;
  /** The plugin that answers at each address. */
  readonly #listeners = new Map<string, Listening>();
  /** Serializes what opens and closes listeners. */
  readonly #mutex = new Mutex();
  readonly #unobserve: () => void;
  #closed = false;

  constructor(netlink: NetlinkHub, backend: ResolverBackend) {
    this.#netlink = netlink;
    this.backend = backend;
    backend.heard = (query) => {
      const listening = this.#listeners.get(query.ip);
      if (listening) listening.served.queries.add(query);
      else backend.drop(query.id);
    };
    this.#unobserve = netlink.forgotten((names) => {
      // Runs after a request in progress, which may have seen the bridge.
      void this.#mutex.run(() => this.#stopAll(({ bridge }) => names.includes(bridge)));
    });
  }

  open(plugin: string, limits: ResolverLimits): HostPower {
    const queries = new PluginQueries(monotonicNow, (id) => this.backend.drop(id));
    const served: Served = { plugin, limits, queries, asking: 0 };
    return createResolverPower({
      plugin,
      ask: (request) => this.#ask(served, request),
      next: async (worker) => (await queries.next(worker)).map((query) => ({ ...query })),
      answer: (id, message, keepMs) => {
        if (!queries.take(id)) return;
        if (message === undefined) this.backend.drop(id);
        else this.backend.answer(id, message, keepMs);
      },
      close: async () => {
        queries.close();
        await this.#mutex.run(() => this.#stopAll((one) => one.served === served));
      },
    });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#unobserve();
    for (const { served } of this.#listeners.values()) served.queries.close();
    this.#listeners.clear();
    await this.backend.close();
  }

  async #ask(served: Served, request: ResolverRequest): Promise<Json> {
    const { plugin, limits } = served;
    if (this.#closed) throw failed(plugin, request.op, "the host is closing");
    if (request.op === "ask") {
      checkRules(request, { plugin, limits, links: new Map(), owner: () => undefined, served: [] });
      return this.#question(served, request);
    }
    return this.#mutex.run(async () => {
      const view = await this.#netlink.backend.look({ addresses: true });
      checkRules(request, {
        plugin,
        limits,
        links: view.links,
        owner: (link) => this.#netlink.owner(link, view),
        served: this.#of(served),
      });
      const { ip } = request;
      if (request.op === "stop") {
        // This plugin's listener may have ended with its bridge, and another plugin may answer at the address by now.
        if (this.#of(served).includes(ip)) await this.#stop(ip);
        return null;
      }
      const other = this.#listeners.get(ip)?.served.plugin;
      if (other !== undefined && other !== plugin)
        throw refused(plugin, request.op, "address", `another plugin answers at "${ip}"`);
      const { bridge } = request;
      const prefix = view.links.get(bridge)?.addresses.find((one) => one.ip === ip)?.prefix ?? 0;
      const subnet = textOf(networkOf(`${ip}/${prefix}`));
      const { queriesPerSecond, outstanding } = limits;
      await this.backend.listen({ ip, subnet, queriesPerSecond, outstanding });
      this.#listeners.set(ip, { served, bridge });
      return null;
    });
  }

  async #question(served: Served, request: Extract<ResolverRequest, { readonly op: "ask" }>): Promise<Json> {
    const { plugin } = served;
    const { server, tcp, message } = request;
    const upstream = parseUpstream(server);
    if (!upstream) throw failed(plugin, "ask", `${server} does not parse`);
    if (served.asking >= RESOLVER.asking) {
      const why = `more than ${RESOLVER.asking} questions of plugin "${plugin}" are waiting; await their replies`;
      throw new DriverError("ERR_PERMISSION_LIMIT", `resolver.ask: ${why}`, { plugin });
    }
    served.asking++;
    try {
      return await this.backend.ask({ server: upstream, tcp, message });
    } finally {
      served.asking--;
    }
  }

  #of(served: Served): readonly string[] {
    return [...this.#listeners].flatMap(([ip, one]) => (one.served === served ? [ip] : []));
  }

  async #stopAll(which: (one: Listening) => boolean): Promise<void> {
    for (const [ip, one] of [...this.#listeners]) if (which(one)) await this.#stop(ip);
  }

  async #stop(ip: string): Promise<void> {
    this.#listeners.delete(ip);
    await this.backend.stop(ip);
  }
}
