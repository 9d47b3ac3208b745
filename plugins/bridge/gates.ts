/** The ways out of and into a network, where the plugin is granted a firewall; without one there are none, and asking is refused. */
import type { FirewallPower, FirewallRule, PublishSpec } from "bulkhead/plugin";
import { badRequest, forbidden } from "./errors.ts";
import { isWildcard, type PortWish } from "./ports.ts";

/** What a network asks for. */
export interface GateOptions {
  /** Nothing gets out or in. */
  readonly internal: boolean;
  /** Undefined: where there is a firewall, yes. */
  readonly masquerade: boolean | undefined;
}

/** A port that is published. */
export interface Binding extends Omit<PublishSpec, "bridge" | "hostIP"> {
  /** "" for every address of the host's. */
  readonly hostIP: string;
}

export class Gates {
  readonly #firewall: FirewallPower | undefined;

  constructor(firewall: FirewallPower | undefined) {
    this.#firewall = firewall;
  }

  /** Throws BadRequest for what takes a firewall, and there is none. */
  check({ internal, masquerade }: GateOptions): void {
    if (this.#firewall) return;
    if (internal) badRequest("an internal network takes the firewall permission, which this plugin is not granted");
    if (masquerade)
      badRequest("outside access (masquerading) takes the firewall permission, which this plugin is not granted");
  }

  /** Sets a network apart from the others and, unless it is internal, opens its way out. */
  async open(bridge: string, subnets: readonly string[], { internal, masquerade = true }: GateOptions): Promise<void> {
    if (!this.#firewall) return;
    await this.#firewall.isolate({ bridge, internal });
    if (internal || !masquerade) return;
    for (const subnet of subnets) await this.#firewall.masquerade({ bridge, subnet });
  }

  /** Withdraws all the rules of a network. */
  async close(bridge: string): Promise<void> {
    await this.#withdraw((rule) => rule.bridge === bridge);
  }

  /**
   * Publishes ports of an endpoint: all, or none and an error. A port that is left to the driver is the one the endpoint has
   * already, after a restart, or the first that is free.
   */
  async publish(bridge: string, wishes: readonly PortWish[], ips: readonly string[]): Promise<readonly Binding[]> {
    if (wishes.length === 0) return [];
    const firewall =
      this.#firewall ?? badRequest("published ports take the firewall permission, which this plugin is not granted");
    const done: Binding[] = [];
    try {
      for (const wish of wishes) {
        const targets = ips.filter((ip) => wish.hostIP === "" || wish.hostIP.includes(":") === ip.includes(":"));
        if (targets.length === 0)
          badRequest(
            `${wish.protocol} port ${wish.port} is published on ${wish.hostIP || "the host"}, and the endpoint has no address of that family`,
          );
        done.push(...(await this.#bind(firewall, bridge, wish, targets)));
      }
    } catch (error) {
      await this.withdraw(bridge, ips);
      throw error;
    }
    return done;
  }

  /** Publishes ports of an endpoint in place of those it has; where that fails it has none. Rejects as `publish` does. */
  async replace(bridge: string, wishes: readonly PortWish[], ips: readonly string[]): Promise<readonly Binding[]> {
    if (!this.#firewall) return this.publish(bridge, wishes, ips);
    // A port that stays is not given up meanwhile: another container may be waiting for it.
    const stays = (rule: PublishSpec): boolean => wishes.some((wish) => satisfies(rule, wish));
    await this.#withdraw(
      (rule) => rule.kind === "publish" && rule.bridge === bridge && ips.includes(rule.ip) && !stays(rule),
    );
    return this.publish(bridge, wishes, ips);
  }

  /** Withdraws the published ports of addresses. */
  async withdraw(bridge: string, ips: readonly string[]): Promise<void> {
    await this.#withdraw((rule) => rule.kind === "publish" && rule.bridge === bridge && ips.includes(rule.ip));
  }

  /** Withdraws what a worker that is gone may have left: ports of addresses that nobody has. */
  async sweep(bridge: string, isTaken: (ip: string) => boolean): Promise<void> {
    await this.#withdraw((rule) => rule.kind === "publish" && rule.bridge === bridge && !isTaken(rule.ip));
  }

  async #withdraw(which: (rule: FirewallRule) => boolean): Promise<void> {
    if (!this.#firewall) return;
    for (const rule of (await this.#firewall.rules()).filter(which)) await this.#firewall.withdraw(rule);
  }

  /** One port of the host's for all of the addresses. */
  async #bind(
    firewall: FirewallPower,
    bridge: string,
    wish: PortWish,
    ips: readonly string[],
  ): Promise<readonly Binding[]> {
    const { protocol, port, hostIP } = wish;
    const rules = (await firewall.rules()).filter((rule) => rule.kind === "publish");
    const before = rules.find(
      (rule) => rule.bridge === bridge && rule.ip === ips[0] && rule.port === port && rule.protocol === protocol,
    );
    const used = new Set(rules.filter((rule) => rule.protocol === protocol).map(({ hostPort }) => hostPort));
    let why = "no port is granted";
    for (const hostPort of candidates(wish, before?.hostPort, firewall.ports, used)) {
      const specs = ips.map((ip) => ({
        bridge,
        protocol,
        hostPort,
        ip,
        port,
        ...(isWildcard(hostIP) ? {} : { hostIP }),
      }));
      const made: PublishSpec[] = [];
      try {
        for (const spec of specs) {
          await firewall.publish(spec);
          made.push(spec);
        }
        return specs.map((spec) => ({ protocol, hostPort, ip: spec.ip, port, hostIP }));
      } catch (error) {
        for (const spec of made) await firewall.withdraw({ kind: "publish", ...spec });
        if (!isTaken(error)) throw error;
        why = (error as Error).message;
      }
    }
    return forbidden(
      `Bind for ${hostIP || "0.0.0.0"}:${wish.from || "any port"} failed: port is already allocated: ${why}`,
    );
  }
}

/** True for a port that is published as a wish asks. */
function satisfies({ protocol, port, hostIP, hostPort }: PublishSpec, wish: PortWish): boolean {
  const at = isWildcard(wish.hostIP) ? undefined : wish.hostIP;
  const within = wish.from === 0 || (hostPort >= wish.from && hostPort <= wish.to);
  return protocol === wish.protocol && port === wish.port && hostIP === at && within;
}

/** Where a port is chosen, in this order: an engine's own range, as Linux has it for ports it gives out, and last the well-known ones. */
const CHOSEN = [
  [32_768, 60_999],
  [1024, 32_767],
  [61_000, 65_535],
  [1, 1023],
] as const;

/** The ports to try, in order. */
function* candidates(
  { from, to }: PortWish,
  before: number | undefined,
  granted: readonly string[],
  used: ReadonlySet<number>,
): Generator<number> {
  if (before !== undefined && (from === 0 || (before >= from && before <= to))) yield before;
  if (from !== 0) {
    for (let port = from; port <= to; port++) yield port;
    return;
  }
  for (const [first, last] of CHOSEN) {
    for (const range of granted) {
      const [low = 0, high = low] = range.split("-").map(Number);
      for (let port = Math.max(low, first); port <= Math.min(high, last); port++) if (!used.has(port)) yield port;
    }
  }
}

/** True when somebody else has the port: the next one may do. */
function isTaken(error: unknown): boolean {
  if (!(error instanceof Error) || !("code" in error) || error.code !== "ERR_FIREWALL_REFUSED") return false;
  return /refused by rule "(taken|listener)"/.test(error.message);
}
