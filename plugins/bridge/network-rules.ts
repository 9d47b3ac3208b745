/** The firewall rules of a network: isolation from other networks, and masquerading. Without the permission there are none. */
import { type FirewallPower, fail } from "bulkhead/plugin";
import { together } from "bulkhead/plugin/addressing";

/** The rules that a network's options ask for. */
export interface NetworkRuleOptions {
  /** No traffic in or out. */
  readonly internal: boolean;
  /** Undefined: true if the firewall is granted. */
  readonly masquerade: boolean | undefined;
}

export class NetworkRules {
  readonly #firewall: FirewallPower | undefined;

  constructor(firewall: FirewallPower | undefined) {
    this.#firewall = firewall;
  }

  /** Throws BadRequest for options that need the firewall if it is not granted. */
  check({ internal, masquerade }: NetworkRuleOptions): void {
    if (this.#firewall) return;
    if (internal)
      fail("BadRequest", "an internal network needs the firewall permission, which this plugin is not granted");
    if (masquerade)
      fail(
        "BadRequest",
        "outside access (masquerading) needs the firewall permission, which this plugin is not granted",
      );
  }

  /** Isolates a network and, unless it is internal, masquerades its traffic. */
  async open(
    bridge: string,
    subnets: readonly string[],
    { internal, masquerade = true }: NetworkRuleOptions,
  ): Promise<void> {
    if (!this.#firewall) return;
    const firewall = this.#firewall;
    const outside = internal || !masquerade ? [] : subnets;
    // What is asked for at once is programmed in one transaction.
    await together([
      firewall.isolate({ bridge, internal }),
      ...outside.map((subnet) => firewall.masquerade({ bridge, subnet })),
    ]);
  }

  /** Withdraws all rules of a network. */
  async close(bridge: string): Promise<void> {
    if (!this.#firewall) return;
    const firewall = this.#firewall;
    const rules = (await firewall.rules()).filter((rule) => rule.bridge === bridge);
    await together(rules.map((rule) => firewall.withdraw(rule)));
  }
}
