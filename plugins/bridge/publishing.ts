/** Publishes the ports of endpoints. The firewall's rules are the only record of them, since they outlive a worker. */
import { type FirewallPower, type FirewallRule, fail, type PublishSpec } from "bulkhead/plugin";
import { together } from "bulkhead/plugin/addressing";
import { type Binding, bindText, candidates, hostsConflict, isWildcard, type PortRequest } from "./ports.ts";

type PublishRule = Extract<FirewallRule, { readonly kind: "publish" }>;

/** An endpoint that has ports published: its addresses, without prefix lengths, on its network's bridge. */
export interface Target {
  readonly bridge: string;
  readonly ips: readonly string[];
}

/** A request, the addresses it is published on, and the port that it has already. */
interface Plan {
  readonly request: PortRequest;
  readonly ips: readonly string[];
  readonly before: number | undefined;
}

export class Publishing {
  readonly #firewall: FirewallPower | undefined;
  readonly #ownerOf: (address: { readonly bridge: string; readonly ip: string }) => string | undefined;

  /** `ownerOf`: describes the endpoint that has an address; undefined if none has. */
  constructor(
    firewall: FirewallPower | undefined,
    ownerOf: (address: { readonly bridge: string; readonly ip: string }) => string | undefined,
  ) {
    this.#firewall = firewall;
    this.#ownerOf = ownerOf;
  }

  /**
   * Publishes all of these ports of an endpoint and no others; on an error, restores those published before. Where any host
   * port will do, the endpoint keeps the one it has or gets the first free one.
   */
  async replace(target: Target, requests: readonly PortRequest[]): Promise<readonly Binding[]> {
    if (requests.length === 0) {
      await this.withdraw(target);
      return [];
    }
    const firewall =
      this.#firewall ??
      fail("BadRequest", "published ports need the firewall permission, which this plugin is not granted");
    const before = ofTarget(await published(firewall), target);
    const plans = plansFor(target, requests, before);
    const stale = before.filter((rule) => !plans.some((plan) => keeps(plan, rule)));
    const done: Binding[] = [];
    try {
      await withdrawAll(firewall, stale);
      for (const plan of plans) done.push(...(await this.#bind(firewall, target.bridge, plan)));
    } catch (error) {
      await restore(firewall, target, before);
      throw error;
    }
    return done;
  }

  /** Withdraws all published ports of an endpoint. */
  async withdraw(target: Target): Promise<void> {
    if (!this.#firewall) return;
    await withdrawAll(this.#firewall, ofTarget(await published(this.#firewall), target));
  }

  /** Withdraws the ports of addresses that no endpoint has, which a worker may leave when it ends during a call. */
  async withdrawOrphans(bridge: string, isTaken: (ip: string) => boolean): Promise<void> {
    if (!this.#firewall) return;
    const left = (await published(this.#firewall)).filter((rule) => rule.bridge === bridge && !isTaken(rule.ip));
    await withdrawAll(this.#firewall, left);
  }

  /** Publishes one host port for all addresses of the plan. */
  async #bind(firewall: FirewallPower, bridge: string, { request, ips, before }: Plan): Promise<readonly Binding[]> {
    const { protocol, port, hostIP } = request;
    const rules = await published(firewall);
    const used = new Set(
      rules
        .filter((rule) => rule.protocol === protocol && hostsConflict(rule.hostIP, hostIP))
        .map((rule) => rule.hostPort),
    );
    let refusal = `no port of ${firewall.ports.join(", ")}, those granted, is free`;
    for (const hostPort of candidates(request, before, firewall.ports, used)) {
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
        const rules = made.map((spec) => ({ kind: "publish", ...spec }) as const);
        await withdrawAll(firewall, rules);
        if (!isTaken(error)) throw error;
        refusal = (error as Error).message;
      }
    }
    const holder = rules.find(
      (rule) =>
        rule.protocol === protocol &&
        used.has(request.from) &&
        rule.hostPort === request.from &&
        hostsConflict(rule.hostIP, hostIP),
    );
    const owner = holder && this.#ownerOf(holder);
    return fail(
      "Forbidden",
      `Bind for ${bindText(request)} failed: port is already allocated${owner ? ` to ${owner}` : ""}: ${refusal}`,
    );
  }
}

/** Finds the host port that each request has already. A port serves one request. */
function plansFor({ ips }: Target, requests: readonly PortRequest[], before: readonly PublishRule[]): readonly Plan[] {
  const claimed = new Set<string>();
  return requests.map((request) => {
    const ofFamily = ips.filter((ip) => request.hostIP === "" || request.hostIP.includes(":") === ip.includes(":"));
    if (ofFamily.length === 0)
      fail(
        "BadRequest",
        `${request.protocol} port ${request.port} is published on ${request.hostIP || "the host"}, and the endpoint has no address of that family`,
      );
    const has = before.find(
      (rule) =>
        isFor(request, rule) &&
        ofFamily.includes(rule.ip) &&
        (request.from === 0 || (rule.hostPort >= request.from && rule.hostPort <= request.to)) &&
        !claimed.has(`${rule.protocol} ${rule.hostIP ?? ""} ${rule.hostPort}`),
    );
    if (has) claimed.add(`${has.protocol} ${has.hostIP ?? ""} ${has.hostPort}`);
    return { request, ips: ofFamily, before: has?.hostPort };
  });
}

function keeps({ request, ips, before }: Plan, rule: PublishRule): boolean {
  return isFor(request, rule) && rule.hostPort === before && ips.includes(rule.ip);
}

function isFor({ protocol, port, hostIP }: PortRequest, rule: PublishRule): boolean {
  return rule.protocol === protocol && rule.port === port && (rule.hostIP ?? "") === (isWildcard(hostIP) ? "" : hostIP);
}

/** Restores the ports that were published before a change that failed. */
async function restore(firewall: FirewallPower, target: Target, before: readonly PublishRule[]): Promise<void> {
  const isSame = (a: PublishRule, b: PublishRule): boolean =>
    a.protocol === b.protocol &&
    a.hostIP === b.hostIP &&
    a.hostPort === b.hostPort &&
    a.ip === b.ip &&
    a.port === b.port;
  for (const rule of ofTarget(await published(firewall), target))
    if (!before.some((one) => isSame(one, rule))) await firewall.withdraw(rule);
  for (const { kind: _, ...spec } of before) await firewall.publish(spec);
}

/** In one transaction. */
function withdrawAll(firewall: FirewallPower, rules: readonly PublishRule[]): Promise<void> {
  return together(rules.map((rule) => firewall.withdraw(rule)));
}

async function published(firewall: FirewallPower): Promise<readonly PublishRule[]> {
  return (await firewall.rules()).filter((rule): rule is PublishRule => rule.kind === "publish");
}

function ofTarget(rules: readonly PublishRule[], { bridge, ips }: Target): readonly PublishRule[] {
  return rules.filter((rule) => rule.bridge === bridge && ips.includes(rule.ip));
}

/** Returns true if the port is in use, so that the next one may be free. */
function isTaken(error: unknown): boolean {
  if (!(error instanceof Error) || !("code" in error) || error.code !== "ERR_FIREWALL_REFUSED") return false;
  return /refused by rule "(taken|listener)"/.test(error.message);
}
