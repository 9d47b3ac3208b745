/** A journal in memory: it outlives a host of the test, and its writes can be held or refused by overriding them. */
import type { Journal, JournalEntry, JournalWrite, RecordKey } from "#dist/storage/journal/journal.js";

interface EndpointRow {
  entry: JournalEntry | undefined;
  join: JournalEntry | undefined;
  external: JournalEntry | undefined;
}

interface NetworkRow {
  entry: JournalEntry | undefined;
  readonly endpoints: Map<string, EndpointRow>;
}

type Row = { readonly key: RecordKey; readonly entry: JournalEntry };

/** Keeps records in Maps by id: ids are opaque, and are never joined into one key. */
export class MemoryJournal implements Journal {
  readonly #types = new Map<string, Map<string, NetworkRow>>();

  intend(write: JournalWrite): void {
    this.settle(write);
  }

  settle({ key: { type, nid, eid, join, external }, entry }: JournalWrite): void {
    const network = rowOf(rowOf(this.#types, type, newNetworks), nid, newNetwork);
    if (eid === undefined) network.entry = entry;
    else {
      const endpoint = rowOf(network.endpoints, eid, newEndpoint);
      if (join) endpoint.join = entry;
      else if (external) endpoint.external = entry;
      else endpoint.entry = entry;
      if (!endpoint.entry && !endpoint.join && !endpoint.external) network.endpoints.delete(eid);
    }
    if (network.entry === undefined && network.endpoints.size === 0) this.#types.get(type)?.delete(nid);
  }

  async load(type: string): Promise<readonly Row[]> {
    const rows: Row[] = [];
    for (const [nid, { entry, endpoints }] of this.#types.get(type) ?? []) {
      if (entry) rows.push({ key: { type, nid }, entry });
      for (const [eid, endpoint] of endpoints) {
        if (endpoint.entry) rows.push({ key: { type, nid, eid }, entry: endpoint.entry });
        if (endpoint.join) rows.push({ key: { type, nid, eid, join: true }, entry: endpoint.join });
        if (endpoint.external) rows.push({ key: { type, nid, eid, external: true }, entry: endpoint.external });
      }
    }
    return rows;
  }

  async types(): Promise<readonly string[]> {
    return [...this.#types].filter(([, networks]) => networks.size > 0).map(([type]) => type);
  }

  async close(): Promise<void> {
    this.#types.clear();
  }
}

const newNetworks = (): Map<string, NetworkRow> => new Map();
const newNetwork = (): NetworkRow => ({ entry: undefined, endpoints: new Map() });
const newEndpoint = (): EndpointRow => ({ entry: undefined, join: undefined, external: undefined });

/** Returns the row of `key`, created if it does not exist. */
function rowOf<K, V>(rows: Map<K, V>, key: K, make: () => V): V {
  let row = rows.get(key);
  if (row === undefined) {
    row = make();
    rows.set(key, row);
  }
  return row;
}
