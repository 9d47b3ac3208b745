/** The published ports of endpoints. The firewall's rules are the record of what is published: they outlive a worker. */
import { type FirewallPower, type FirewallRule, fail, type PublishSpec } from "bulkhead/plugin";
import { type Binding, bindText, candidates, hostsMeet, isWildcard, type PortWish } from "./ports.ts";

type PublishRule = Extract<FirewallRule, { readonly kind: "publish" }>;

/** What a port is published for: an endpoint's addresses, without prefix lengths, on its network's bridge. */
export interface Place {
  readonly bridge: string;
  readonly ips: readonly string[];
}

/** A wish, the addresses it is published on, and the port that it has already. */
interface Plan {
  readonly wish: PortWish;
  readonly ips: readonly string[];
  readonly before: number | undefined;
}

export class Publishing {
  readonly #firewall: FirewallPower | undefined;
  readonly #ownerOf: (place: { readonly bridge: string; readonly ip: string }) => string | undefined;

  /** `ownerOf`: the endpoint that has an address, in words; undefined where the driver knows none. */
  constructor(
    firewall: FirewallPower | undefined,
    ownerOf: (place: { readonly bridge: string; readonly ip: string }) => string | undefined,
  ) {
    this.#firewall = firewall;
    this.#ownerOf = ownerOf;
  }

  /**
   * Publishes these ports of an endpoint, and no others: all of them, or an error and what was published before. A port that is
   * left to the driver is the one that the endpoint has already, or the first that is free.
   */
  async replace(place: Place, wishes: readonly PortWish[]): Promise<readonly Binding[]> {
    if (wishes.length === 0) {
      await this.withdraw(place);
      return [];
    }
    const firewall =
      this.#firewall ??
      fail("BadRequest", "published ports take the firewall permission, which this plugin is not granted");
    const before = ofPlace(await published(firewall), place);
    const plans = plansFor(place, wishes, before);
    const stale = before.filter((rule) => !plans.some((plan) => keeps(plan, rule)));
    const done: Binding[] = [];
    try {
      for (const rule of stale) await firewall.withdraw(rule);
      for (const plan of plans) done.push(...(await this.#bind(firewall, place.bridge, plan)));
    } catch (error) {
      await restore(firewall, place, before);
      throw error;
    }
    return done;
  }

  /** Withdraws all published ports of an endpoint. */
  async withdraw(place: Place): Promise<void> {
    if (!this.#firewall) return;
    for (const rule of ofPlace(await published(this.#firewall), place)) await this.#firewall.withdraw(rule);
  }

  /** Withdraws what a worker that is gone may have left: ports of addresses that nobody has. */
  async sweep(bridge: string, isTaken: (ip: string) => boolean): Promise<void> {
    if (!this.#firewall) return;
    const left = (await published(this.#firewall)).filter((rule) => rule.bridge === bridge && !isTaken(rule.ip));
    for (const rule of left) await this.#firewall.withdraw(rule);
  }

  /** One port of the host's for all of the addresses. */
  async #bind(firewall: FirewallPower, bridge: string, { wish, ips, before }: Plan): Promise<readonly Binding[]> {
    const { protocol, port, hostIP } = wish;
    const rules = await published(firewall);
    const used = new Set(
      rules.filter((rule) => rule.protocol === protocol && hostsMeet(rule.hostIP, hostIP)).map((rule) => rule.hostPort),
    );
    let refusal = `no port of ${firewall.ports.join(", ")}, those granted, is free`;
    for (const hostPort of candidates(wish, before, firewall.ports, used)) {
      const specs = ips.map(
        (ip): PublishSpec => ({ bridge, protocol, hostPort, ip, port, ...(isWildcard(hostIP) ? {} : { hostIP }) }),
      );
      const made: PublishSpec[] = [];
      try {
        for (const spec of specs) {
          await firewall.publish(spec);
          made.push(spec);
        }
        return specs.map(({ ip }) => ({ protocol, hostPort, ip, port, hostIP }));
      } catch (error) {
        for (const spec of made) await firewall.withdraw({ kind: "publish", ...spec });
        if (!isTaken(error)) throw error;
        refusal = (error as Error).message;
      }
    }
    const holder = rules.find(
      (rule) =>
        rule.protocol === protocol &&
        used.has(wish.from) &&
        rule.hostPort === wish.from &&
        hostsMeet(rule.hostIP, hostIP),
    );
    const owner = holder && this.#ownerOf(holder);
    return fail(
      "Forbidden",
      `Bind for ${bindText(wish)} failed: port is already allocated${owner ? ` to ${owner}` : ""}: ${refusal}`,
    );
  }
}

/** Which port each wish has already: one port of the host's serves one wish. */
function plansFor({ ips }: Place, wishes: readonly PortWish[], before: readonly PublishRule[]): readonly Plan[] {
  const claimed = new Set<string>();
  return wishes.map((wish) => {
    const targets = ips.filter((ip) => wish.hostIP === "" || wish.hostIP.includes(":") === ip.includes(":"));
    if (targets.length === 0)
      fail(
        "BadRequest",
        `${wish.protocol} port ${wish.port} is published on ${wish.hostIP || "the host"}, and the endpoint has no address of that family`,
      );
    const has = before.find(
      (rule) =>
        isFor(wish, rule) &&
        targets.includes(rule.ip) &&
        (wish.from === 0 || (rule.hostPort >= wish.from && rule.hostPort <= wish.to)) &&
        !claimed.has(`${rule.protocol} ${rule.hostIP ?? ""} ${rule.hostPort}`),
    );
    if (has) claimed.add(`${has.protocol} ${has.hostIP ?? ""} ${has.hostPort}`);
    return { wish, ips: targets, before: has?.hostPort };
  });
}

function keeps({ wish, ips, before }: Plan, rule: PublishRule): boolean {
  return isFor(wish, rule) && rule.hostPort === before && ips.includes(rule.ip);
}

function isFor({ protocol, port, hostIP }: PortWish, rule: PublishRule): boolean {
  return rule.protocol === protocol && rule.port === port && (rule.hostIP ?? "") === (isWildcard(hostIP) ? "" : hostIP);
}

/** Puts back what was published before a change that failed half-way. */
async function restore(firewall: FirewallPower, place: Place, before: readonly PublishRule[]): Promise<void> {
  const isSame = (a: PublishRule, b: PublishRule): boolean =>
    a.protocol === b.protocol &&
    a.hostIP === b.hostIP &&
    a.hostPort === b.hostPort &&
    a.ip === b.ip &&
    a.port === b.port;
  for (const rule of ofPlace(await published(firewall), place))
    if (!before.some((one) => isSame(one, rule))) await firewall.withdraw(rule);
  for (const { kind: _, ...spec } of before) await firewall.publish(spec);
}

async function published(firewall: FirewallPower): Promise<readonly PublishRule[]> {
  return (await firewall.rules()).filter((rule): rule is PublishRule => rule.kind === "publish");
}

function ofPlace(rules: readonly PublishRule[], { bridge, ips }: Place): readonly PublishRule[] {
  return rules.filter((rule) => rule.bridge === bridge && ips.includes(rule.ip));
}

/** True when somebody else has the port: the next one may do. */
function isTaken(error: unknown): boolean {
  if (!(error instanceof Error) || !("code" in error) || error.code !== "ERR_FIREWALL_REFUSED") return false;
  return /refused by rule "(taken|listener)"/.test(error.message);
}
