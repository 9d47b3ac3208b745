/** Records which links the host has moved into sandboxes, and which have come back. */
import type { NetlinkBackend } from "./backend.js";
import type { MovedTo } from "./ledger.js";
import type { Ownership } from "./ownership.js";

export class SandboxMoves {
  readonly #ownership: Ownership;
  readonly #backend: NetlinkBackend;

  constructor(ownership: Ownership, backend: NetlinkBackend) {
    this.#ownership = ownership;
    this.#backend = backend;
  }

  /** Records that a link is about to be moved. */
  async moved(link: string, to: MovedTo): Promise<void> {
    const row = this.#ownership.row(link);
    if (row) await this.#ownership.write([{ put: { ...row, moved: to } }]);
  }

  /** Records that a link is back under its own name. */
  async returned(link: string): Promise<void> {
    const row = this.#ownership.row(link);
    if (!row) return;
    // A step makes the link, which counts as new in this namespace, ignore router advertisements; `look()` would not.
    const now = (await this.#backend.apply([[{ change: { op: "look", name: link } }]])).seen.get(link);
    // The kernel gives it another index if its own was taken meanwhile; the mark identifies it.
    const same = now?.alias === this.#ownership.mark(row);
    await this.#ownership.write([{ put: { ...row, moved: undefined, ...(same ? { ifindex: now.ifindex } : {}) } }]);
  }

  /** Records which of a plugin's links, except those in `away`, are back. */
  async allReturned(plugin: string, away: () => ReadonlySet<string>): Promise<void> {
    const moved = this.#ownership.of(plugin).filter(({ ifindex }) => ifindex !== undefined);
    if (moved.length === 0) return;
    const gone = away();
    const rows = moved.filter(({ name }) => !gone.has(name));
    if (rows.length === 0) return;
    const { links } = await this.#backend.look();
    const back = rows.filter((row) => {
      const link = links.get(row.name);
      // A link that is back may have another index than before.
      return link?.alias === this.#ownership.mark(row) && (row.moved !== undefined || link.ifindex !== row.ifindex);
    });
    for (const { name } of back) await this.returned(name);
  }
}
