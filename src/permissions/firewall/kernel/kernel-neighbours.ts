/** The neighbours of the kernel's firewall: iptables' FORWARD, and firewalld where it runs. */
import type { NeighbourReport, Neighbours } from "../neighbours.js";
import { AcceptRule } from "./accept-rule.js";
import { Tools } from "./tools.js";

export class KernelNeighbours implements Neighbours {
  readonly #accept: AcceptRule;

  constructor(netns: string | undefined) {
    this.#accept = new AcceptRule(new Tools(netns));
  }

  admit(_bridges: readonly string[]): Promise<NeighbourReport> {
    return this.#accept.keep(true);
  }

  leave(): Promise<NeighbourReport> {
    return this.#accept.keep(false);
  }
}
