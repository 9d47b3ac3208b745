/** Compares our tables with their text right after they were programmed, and restores what other programs have changed. */
import type { OperatorLog } from "../../common/logger.js";
import { BackOff } from "../back-off.js";
import type { ExternalChange } from "../external-changes.js";
import type { FirewallBackend } from "./backend.js";
import type { Surroundings } from "./surroundings.js";

/** A plugin, and the name of its table. */
export interface OwnTable {
  readonly plugin: string;
  readonly name: string;
}

export interface RestoringOptions {
  readonly backend: FirewallBackend;
  readonly around: Surroundings;
  readonly logger: OperatorLog;
  report(event: ExternalChange): void;
}

export interface CompareOptions {
  /** All plugins that have rules. */
  readonly tables: readonly OwnTable[];
  readonly bridges: readonly string[];
  /** Who has changed something, in words; undefined: unknown. */
  readonly who: string | undefined;
  /** Programs the tables of these plugins. */
  program(plugins: readonly string[]): Promise<unknown>;
  /** Switches forwarding on where it is off; returns the families that were off. `again`: puts the guard up in any case. */
  forward(again: boolean): Promise<readonly (4 | 6)[]>;
}

export class Restoring {
  readonly #options: RestoringOptions;
  readonly #backOff = new BackOff();
  /** The text of our tables and guards, right after they were programmed. */
  #known: ReadonlyMap<string, string> = new Map();
  #slow = false;

  constructor(options: RestoringOptions) {
    this.#options = options;
  }

  /** Milliseconds until something may be restored again. */
  get wait(): number {
    return this.#backOff.wait;
  }

  /** To be called right after our tables were programmed. */
  async remember(tables: readonly OwnTable[]): Promise<void> {
    const now = await this.#options.backend.listing();
    const ours = new Set(tables.map(({ name }) => name));
    this.#known = new Map([...now].filter(([name]) => ours.has(name) || isGuard(name)));
  }

  /** Restores what has changed. Rejects when the rules cannot be listed or programmed. */
  async compare({ tables, bridges, who, program, forward }: CompareOptions): Promise<void> {
    const { backend, around } = this.#options;
    const now = await backend.listing();
    const changed = ({ name }: Pick<OwnTable, "name">): boolean =>
      !this.#known.has(name) || this.#known.get(name) !== now.get(name);
    const lost = tables.filter(changed);
    const guards = [...this.#known.keys()].filter((name) => isGuard(name) && changed({ name }));
    if (lost.length > 0) await program(lost.map(({ plugin }) => plugin));
    const off = await forward(guards.length > 0);
    if (lost.length > 0 || guards.length > 0 || off.length > 0) {
      this.#backOff.done();
      await this.remember(tables);
    }
    const by = who === undefined ? "somebody else" : who;
    for (const { plugin } of lost) {
      const what = `the rules of plugin "${plugin}" had been changed or removed by ${by}, and are restored`;
      this.#tell({ event: "rules-restored", plugin, detail: what });
    }
    if (guards.length > 0)
      this.#tell({
        event: "rules-restored",
        detail: `the guard of forwarding had been removed by ${by}, and is restored`,
      });
    if (off.length > 0) {
      const families = off.map((family) => `IPv${family}`).join(" and ");
      const detail = `forwarding of ${families} had been switched off by somebody else, and is on again`;
      this.#tell({ event: "forwarding-restored", detail });
    }
    const admitted = await around.admit(bridges);
    if (admitted.length > 0) {
      const detail = `what lets our packets pass was missing and is put in: ${admitted.join(", ")}`;
      this.#options.report({ event: "rules-restored", detail });
      this.#backOff.done();
    }
    if (this.#backOff.slow && !this.#slow) {
      const words = `rules of ours are removed again and again (by ${by}); from now on they are restored with pauses`;
      this.#options.logger.error({}, `firewall: ${words}; stop what removes them`);
    }
    this.#slow = this.#backOff.slow;
  }

  #tell(event: ExternalChange): void {
    this.#options.logger.warn({ plugin: event.plugin }, `firewall: ${event.detail}`);
    this.#options.report(event);
  }
}

function isGuard(name: string): boolean {
  return name.startsWith("bulkhead-forward_");
}
