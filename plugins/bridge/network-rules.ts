/** A network's way out, and what sets it apart from the others, where the plugin is granted a firewall; without one there are none, and asking is refused. */
import { type FirewallPower, fail } from "bulkhead/plugin";

/** What a network asks for. */
export interface NetworkRuleOptions {
  /** Nothing gets out or in. */
  readonly internal: boolean;
  /** Undefined: where there is a firewall, yes. */
  readonly masquerade: boolean | undefined;
}

export class NetworkRules {
  readonly #firewall: FirewallPower | undefined;

  constructor(firewall: FirewallPower | undefined) {
    this.#firewall = firewall;
  }

  /** Throws BadRequest for what takes a firewall, and there is none. */
  check({ internal, masquerade }: NetworkRuleOptions): void {
    if (this.#firewall) return;
    if (internal)
      fail("BadRequest", "an internal network takes the firewall permission, which this plugin is not granted");
    if (masquerade)
      fail(
        "BadRequest",
        "outside access (masquerading) takes the firewall permission, which this plugin is not granted",
      );
  }

  /** Sets a network apart from the others and, unless it is internal, opens its way out. */
  async open(
    bridge: string,
    subnets: readonly string[],
    { internal, masquerade = true }: NetworkRuleOptions,
  ): Promise<void> {
    if (!this.#firewall) return;
    await this.#firewall.isolate({ bridge, internal });
    if (internal || !masquerade) return;
    for (const subnet of subnets) await this.#firewall.masquerade({ bridge, subnet });
  }

  /** Withdraws all the rules of a network. */
  async close(bridge: string): Promise<void> {
    if (!this.#firewall) return;
    const rules = (await this.#firewall.rules()).filter((rule) => rule.bridge === bridge);
    for (const rule of rules) await this.#firewall.withdraw(rule);
  }
}
