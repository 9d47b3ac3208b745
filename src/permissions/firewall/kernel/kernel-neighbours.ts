/** The neighbours of the kernel's firewall: iptables' FORWARD, and firewalld where it runs. */
import type { NeighbourReport, Neighbours } from "../neighbours.js";
import { AcceptRule } from "./accept-rule.js";
import { Firewalld } from "./firewalld.js";
import { Tools } from "./tools.js";

export class KernelNeighbours implements Neighbours {
  readonly #accept: AcceptRule;
  readonly #firewalld: Firewalld;

  constructor(netns: string | undefined) {
    const tools = new Tools(netns);
    this.#accept = new AcceptRule(tools);
    this.#firewalld = new Firewalld(tools);
  }

  async admit(bridges: readonly string[]): Promise<NeighbourReport> {
    return both(await Promise.all([this.#accept.keep(true), this.#firewalld.keep(bridges)]));
  }

  async leave(): Promise<NeighbourReport> {
    return both(await Promise.all([this.#accept.keep(false), this.#firewalld.keep([])]));
  }
}

function both(reports: readonly NeighbourReport[]): NeighbourReport {
  return {
    changed: reports.flatMap(({ changed }) => changed),
    problems: reports.flatMap(({ problems }) => problems),
  };
}
