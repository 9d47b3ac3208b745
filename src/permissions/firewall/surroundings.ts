/** Maintains what has to exist outside our tables: the neighbours' accept rules. A failure is logged once, and stops nothing. */
import type { OperatorLog } from "../../common/logger.js";
import type { ForwardingEnd } from "./backend.js";
import type { NeighbourReport, Neighbours } from "./neighbours.js";

export interface SurroundingsOptions {
  readonly neighbours: Neighbours;
  readonly logger: OperatorLog;
}

export class Surroundings {
  readonly #neighbours: Neighbours;
  readonly #logger: OperatorLog;
  /** Problems already logged. */
  readonly #said = new Set<string>();
  /** The bridges admitted last; undefined if there are none. */
  #admitted: string | undefined;

  constructor({ neighbours, logger }: SurroundingsOptions) {
    this.#neighbours = neighbours;
    this.#logger = logger;
  }

  /** Checks the neighbours if the bridges differ from last time. Call it after our tables have changed. */
  async keep(bridges: readonly string[]): Promise<void> {
    const key = JSON.stringify([...bridges].sort());
    if (key === this.#admitted) return;
    await this.admit(bridges);
    this.#admitted = key;
  }

  /** Checks the neighbours; returns what had to be changed. */
  async admit(bridges: readonly string[]): Promise<readonly string[]> {
    const report = await this.#neighbours.admit(bridges);
    this.#say(report, "let pass what our networks allow");
    return report.changed;
  }

  /** Restores the neighbours' rules. Call it when no table of ours is left in the namespace. */
  async leave(): Promise<void> {
    this.#admitted = undefined;
    this.#say(await this.#neighbours.leave(), "are as they were before");
  }

  /** Logs what was done about forwarding. */
  sayForwarding({ off, left, others }: ForwardingEnd): void {
    const names = (families: readonly (4 | 6)[]): string => families.map((family) => `IPv${family}`).join(" and ");
    if (off.length > 0) this.#logger.info({ off }, `firewall: forwarding of ${names(off)} is switched off again`);
    if (left.length === 0) return;
    const why = `needed by ${others.join(", ")}`;
    const advice = "so that this machine routes nothing else, run: iptables -P FORWARD DROP, ip6tables -P FORWARD DROP";
    this.#logger.warn({ left, others }, `firewall: forwarding of ${names(left)} stays on, ${why}; ${advice}`);
  }

  #say({ changed, problems }: NeighbourReport, what: string): void {
    if (changed.length > 0) this.#logger.info({ changed }, `firewall: ${changed.join(", ")} ${what}`);
    for (const problem of problems) {
      if (this.#said.has(problem)) continue;
      this.#said.add(problem);
      this.#logger.warn({}, `firewall: packets of our networks may be dropped here: ${problem}`);
    }
  }
}
