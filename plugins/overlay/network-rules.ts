/** The firewall rules of a network: isolated from other networks, connected to its part on other hosts, masqueraded to the outside. */
import type { FirewallPower } from "bulkhead/plugin";
import { together } from "bulkhead/plugin/addressing";
import type { Network, Prefix } from "./networks.ts";

export class NetworkRules {
  readonly #firewall: FirewallPower;

  constructor(firewall: FirewallPower) {
    this.#firewall = firewall;
  }

  async open(
    { bridge, tunnel, internal }: Pick<Network, "bridge" | "tunnel" | "internal">,
    prefixes: readonly Prefix[],
  ): Promise<void> {
    const firewall = this.#firewall;
    // Requests made at the same time are programmed in one transaction.
    await together([
      firewall.isolate({ bridge, internal }),
      ...prefixes.map(({ text, network }) => firewall.connect({ bridge, tunnel, subnet: text, network })),
      ...(internal ? [] : prefixes.map(({ text }) => firewall.masquerade({ bridge, subnet: text }))),
    ]);
  }

  /** Withdraws all rules of a network. */
  async close(bridge: string): Promise<void> {
    const rules = (await this.#firewall.rules()).filter((rule) => rule.bridge === bridge);
    await together(rules.map((rule) => this.#firewall.withdraw(rule)));
  }
}
