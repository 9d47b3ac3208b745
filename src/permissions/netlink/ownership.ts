/** Knows which plugin owns which link: holds the ledger's rows in memory, and compares links with them. */
import type { LinkView, NamespaceView } from "./backend.js";
import { type LedgerChange, type LedgerRow, markOf, type NetlinkLedger } from "./ledger.js";
import { otherEnd } from "./rules-links.js";

export class Ownership {
  readonly ledger: NetlinkLedger;
  readonly #rows = new Map<string, LedgerRow>();
  readonly #forgotten: (names: readonly string[]) => void;

  /** `forgotten`: called with links that are not owned any more. */
  constructor(ledger: NetlinkLedger, forgotten: (names: readonly string[]) => void = () => {}) {
    this.ledger = ledger;
    this.#forgotten = forgotten;
  }

  /** Reads the ledger. */
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

  /** Returns the other end of a veth. */
  peer(name: string): string | undefined {
    const spec = this.#rows.get(name)?.spec;
    return spec?.kind === "veth" ? otherEnd(spec, name) : undefined;
  }

  /** Forgets links that another program has deleted or replaced. */
  async forgetVanished(view: NamespaceView): Promise<void> {
    const gone = this.all().filter((row) => {
      const link = view.links.get(row.name);
      if (row.moved !== undefined || row.ifindex === undefined || (link && this.isSame(row, link))) return false;
      return !this.isElsewhere(row, view);
    });
    await this.write(gone.map(({ name }) => ({ drop: name })));
  }

  /** Writes to the ledger, then to memory. */
  async write(changes: readonly LedgerChange[]): Promise<void> {
    if (changes.length === 0) return;
    await this.ledger.write(changes);
    for (const change of changes) {
      if ("put" in change) this.#rows.set(change.put.name, change.put);
      else this.#rows.delete(change.drop);
    }
    const dropped = changes.flatMap((change) => ("drop" in change ? [change.drop] : []));
    if (dropped.length > 0) this.#forgotten(dropped);
  }

  /** Returns a plugin's row of a link that it owns according to `view`, or that is in a sandbox. */
  own(plugin: string, name: string, view: NamespaceView): LedgerRow | undefined {
    const row = this.#rows.get(name);
    if (row === undefined || row.plugin !== plugin) return undefined;
    if (row.moved !== undefined) return row;
    const link = view.links.get(name);
    return link !== undefined && this.isSame(row, link) ? row : undefined;
  }

  /** True if the link has the row's mark and index: its name alone could be another link's. */
  isSame(row: LedgerRow, link: LinkView): boolean {
    return link.alias === this.mark(row) && row.ifindex === link.ifindex;
  }

  /** True for an end of a veth that is missing while the other exists: the ends are deleted together, so it has been moved. */
  isElsewhere(row: LedgerRow, view: NamespaceView): boolean {
    const other = this.#rows.get(this.peer(row.name) ?? "");
    const link = other === undefined ? undefined : view.links.get(other.name);
    return other !== undefined && link !== undefined && this.isSame(other, link);
  }

  mark({ plugin, name }: Pick<LedgerRow, "plugin" | "name">): string {
    return markOf(this.ledger.id, plugin, name);
  }
}
