/**
 * If firewalld filters in this namespace, adds our bridges to a zone that accepts, as an engine does with its own. Changes are not
 * permanent: they end with a restart of firewalld.
 */
import type { NeighbourReport } from "../neighbours.js";
import { complaint, type Tools } from "./tools.js";

/** A zone whose target accepts. */
export const ZONE = "trusted";
const NOTHING: NeighbourReport = { changed: [], problems: [] };

export class Firewalld {
  readonly #tools: Tools;
  /** Bridges added to the zone here. */
  readonly #put = new Set<string>();

  constructor(tools: Tools) {
    this.#tools = tools;
  }

  /** Adds these bridges to the zone, and removes earlier ones that are not among them. */
  async keep(bridges: readonly string[]): Promise<NeighbourReport> {
    if (!(await this.#filters())) {
      this.#put.clear();
      return NOTHING;
    }
    const listed = await this.#tools.try("neighbours", "firewall-cmd", [`--zone=${ZONE}`, "--list-interfaces"]);
    if (listed.code !== 0) return failure(bridges, complaint(listed, "firewall-cmd"));
    const there = new Set(listed.stdout.trim().split(/\s+/));
    const missing = bridges.filter((bridge) => !there.has(bridge));
    const past = [...this.#put].filter((bridge) => !bridges.includes(bridge) && there.has(bridge));
    for (const bridge of bridges) this.#put.add(bridge);
    const steps = [
      ...(missing.length > 0 ? [missing.map((bridge) => `--change-interface=${bridge}`)] : []),
      ...(past.length > 0 ? [past.map((bridge) => `--remove-interface=${bridge}`)] : []),
    ];
    for (const step of steps) {
      const outcome = await this.#tools.try("neighbours", "firewall-cmd", [`--zone=${ZONE}`, ...step]);
      if (outcome.code !== 0) return failure(missing, complaint(outcome, "firewall-cmd"));
    }
    for (const bridge of past) this.#put.delete(bridge);
    const changed = [...missing, ...past];
    return { changed: changed.map((bridge) => `firewalld's zone ${ZONE}, interface ${bridge}`), problems: [] };
  }

  /** True if firewalld has its table. Asking for its state would take half a second. */
  async #filters(): Promise<boolean> {
    if (!this.#tools.has("firewall-cmd") || !this.#tools.has("nft")) return false;
    const { stdout } = await this.#tools.try("neighbours", "nft", ["list", "tables", "inet"]);
    return /^table inet firewalld$/m.test(stdout);
  }
}

function failure(bridges: readonly string[], words: string): NeighbourReport {
  const commands = bridges.map((bridge) => `firewall-cmd --zone=${ZONE} --change-interface=${bridge}`);
  return { changed: [], problems: [`firewall-cmd failed (${words}); run: ${commands.join(" && ")}`] };
}
