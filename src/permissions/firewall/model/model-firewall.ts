/** A firewall without a kernel: what would be programmed is kept, and who listens is what a test says. */

import type { FirewallBackend, FirewallTable, ForwardingEnd, Listener } from "../backend.js";
import type { RuleEvents, RuleWatch } from "../rule-events.js";

export class ModelFirewall implements FirewallBackend {
  readonly kind = "model";
  /** The tables, by name. */
  readonly programmed: Map<string, FirewallTable> = new Map();
  /** Who listens in the namespace. */
  readonly listening: Listener[] = [];
  /** The families it forwards. */
  readonly forwards: Set<4 | 6> = new Set();

  async tables(): Promise<readonly string[]> {
    return [...this.programmed.keys()];
  }

  async program(put: readonly FirewallTable[], drop: readonly string[]): Promise<void> {
    for (const name of drop) this.programmed.delete(name);
    for (const table of put) this.programmed.set(table.name, table);
  }

  async listeners(): Promise<readonly Listener[]> {
    return this.listening;
  }

  async forward(families: readonly (4 | 6)[]): Promise<readonly (4 | 6)[]> {
    const opened = families.filter((family) => !this.forwards.has(family));
    for (const family of opened) this.forwards.add(family);
    return opened;
  }

  async stopForwarding(): Promise<ForwardingEnd> {
    const off = [...this.forwards];
    this.forwards.clear();
    return { off, left: [], others: [] };
  }

  /** Of a test that changes `programmed` itself, the way to tell of it. */
  changed: (who: string) => void = () => {};

  watch({ changed }: RuleEvents): RuleWatch {
    this.changed = changed;
    return { alive: true, stop: async () => {} };
  }

  async listing(): Promise<ReadonlyMap<string, string>> {
    return new Map([...this.programmed].map(([name, table]) => [name, JSON.stringify(table)]));
  }
}
