/** Whose link is whose: the ledger's rows in memory, and the test that a link one sees is the one that was made. */
import type { LinkView, NamespaceView } from "./backend.js";
import { type LedgerChange, type LedgerRow, markOf, type NetlinkLedger } from "./ledger.js";
import { otherEnd } from "./rules-links.js";

export class Ownership {
  readonly ledger: NetlinkLedger;
  readonly #rows = new Map<string, LedgerRow>();

  constructor(ledger: NetlinkLedger) {
    this.ledger = ledger;
  }

  /** Reads the ledger anew. */
  async load(): Promise<void> {
    this.#rows.clear();
    for (const row of await this.ledger.load()) this.#rows.set(row.name, row);
  }

  row(name: string): LedgerRow | undefined {
    return this.#rows.get(name);
  }

  all(): readonly LedgerRow[] {
    return [...this.#rows.values()];
  }

  of(plugin: string): readonly LedgerRow[] {
    return this.all().filter((row) => row.plugin === plugin);
  }

  /** The other end of a veth. */
  peer(name: string): string | undefined {
    const spec = this.#rows.get(name)?.spec;
    return spec?.kind === "veth" ? otherEnd(spec, name) : undefined;
  }

  /** Forgets links that somebody else has deleted, or put another in the place of. */
  async forgetVanished(view: NamespaceView): Promise<void> {
    const gone = this.all().filter((row) => {
      const link = view.links.get(row.name);
      if (row.moved !== undefined || row.ifindex === undefined || (link && this.isSame(row, link))) return false;
      return !this.isElsewhere(row, view);
    });
    await this.write(gone.map(({ name }) => ({ drop: name })));
  }

  /** Writes to the ledger, and then believes it. */
  async write(changes: readonly LedgerChange[]): Promise<void> {
    if (changes.length === 0) return;
    await this.ledger.write(changes);
    for (const change of changes) {
      if ("put" in change) this.#rows.set(change.put.name, change.put);
      else this.#rows.delete(change.drop);
    }
  }

  /** A plugin's row of a link that is its own as the namespace shows it, or that is away in a sandbox. */
  own(plugin: string, name: string, view: NamespaceView): LedgerRow | undefined {
    const row = this.#rows.get(name);
    if (row === undefined || row.plugin !== plugin) return undefined;
    if (row.moved !== undefined) return row;
    const link = view.links.get(name);
    return link !== undefined && this.isSame(row, link) ? row : undefined;
  }

  /** True when the link bears the row's mark and is the one that was made: a name alone can be taken by another. */
  isSame(row: LedgerRow, link: LinkView): boolean {
    return link.alias === this.mark(row) && row.ifindex === link.ifindex;
  }

  /** True for an end of a veth that is not to be seen while the other is: they end together, so somebody has moved it. */
  isElsewhere(row: LedgerRow, view: NamespaceView): boolean {
    const other = this.#rows.get(this.peer(row.name) ?? "");
    const link = other === undefined ? undefined : view.links.get(other.name);
    return other !== undefined && link !== undefined && this.isSame(other, link);
  }

  mark({ plugin, name }: Pick<LedgerRow, "plugin" | "name">): string {
    return markOf(this.ledger.id, plugin, name);
  }
}
