/** Closes a network and opens what its list names by address: firewall rules, and the redirection of name queries. */
import type { FirewallPower, FirewallRule, QueryHandler, ResolverPower } from "bulkhead/plugin";
import { together } from "bulkhead/plugin/addressing";
import type { AllowedNetwork, AllowList } from "./allow-list.ts";

/** A network to be closed. */
export interface Closed {
  readonly bridge: string;
  readonly subnets: readonly string[];
  /** The bridge's own addresses, without prefix lengths. */
  readonly gateways: readonly string[];
  readonly list: AllowList;
}

export interface WallPowers {
  readonly firewall: FirewallPower;
  readonly resolver: ResolverPower;
}

export class Walls {
  readonly #powers: WallPowers;

  constructor(powers: WallPowers) {
    this.#powers = powers;
  }

  /** Closes a network, opens what its list names by address, and withdraws what it does not name any more. */
  async close({ bridge, subnets, gateways, list }: Closed, handler: QueryHandler): Promise<void> {
    const { firewall, resolver } = this.#powers;
    const wanted = list.networks.map((one) => ruleOf(bridge, one));
    // Asked for at once, so programmed in one transaction: the network is never open.
    await together([
      firewall.isolate({ bridge, outgoing: "allowed" }),
      ...subnets.map((subnet) => firewall.masquerade({ bridge, subnet })),
      ...gateways.map((ip) => firewall.resolve({ bridge, ip })),
      ...wanted.map((rule) => firewall.allow(rule)),
    ]);
    const stale = (await this.#rules(bridge)).filter(
      (rule) => rule.kind === "allow" && !wanted.some((one) => same(one, rule)),
    );
    await together(stale.map((rule) => firewall.withdraw(rule)));
    await together(gateways.map((ip) => resolver.listen({ bridge, ip }, handler)));
  }

  /** Removes the rules of a network, which has no containers any more. */
  async remove(bridge: string, gateways: readonly string[]): Promise<void> {
    const { firewall, resolver } = this.#powers;
    await together(gateways.map((ip) => resolver.stop({ ip })));
    await together((await this.#rules(bridge)).map((rule) => firewall.withdraw(rule)));
  }

  async #rules(bridge: string): Promise<readonly FirewallRule[]> {
    return (await this.#powers.firewall.rules()).filter((rule) => rule.bridge === bridge);
  }
}

type Allow = Extract<FirewallRule, { readonly kind: "allow" }>;

function ruleOf(bridge: string, { to, protocol, port, lastPort }: AllowedNetwork): Omit<Allow, "kind"> {
  return { bridge, to, protocol, port, ...(lastPort === port ? {} : { lastPort }) };
}

function same(a: Omit<Allow, "kind">, b: Omit<Allow, "kind">): boolean {
  return (
    a.to === b.to && a.protocol === b.protocol && a.port === b.port && (a.lastPort ?? a.port) === (b.lastPort ?? b.port)
  );
}
