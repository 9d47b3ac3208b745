/**
 * firewalld, where it filters in this namespace: our bridges are put into a zone whose target accepts, as an engine does with its own.
 * At run time only, so that nothing of it outlives firewalld's own restart.
 */
import type { NeighbourReport } from "../neighbours.js";
import { complaint, type Tools } from "./tools.js";

/** Its target accepts. */
export const ZONE = "trusted";
const NOTHING: NeighbourReport = { changed: [], problems: [] };

export class Firewalld {
  readonly #tools: Tools;
  /** Bridges that were put into the zone here. */
  readonly #put = new Set<string>();

  constructor(tools: Tools) {
    this.#tools = tools;
  }

  /** Puts these bridges into the zone, and takes out those that were there and are no longer among them. */
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

  /** True where firewalld has its table. Nobody asks it for its state, which takes it half a second. */
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
