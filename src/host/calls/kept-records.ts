/** The journal of a host without a data folder: the records themselves, in memory. They outlive workers, but not the process. */
import type { Journal, JournalEntry, RecordKey } from "../../storage/journal/journal.js";
import { endpointEntry, joinEntry, type NetworkRecord, networkEntry } from "./record.js";

/** A journal that may keep the records themselves. Then nothing is written, and a later service of the same type gets the same records. */
export interface RecordJournal extends Journal {
  kept?(type: string): Map<string, NetworkRecord>;
}

interface Row {
  readonly key: RecordKey;
  readonly entry: JournalEntry;
}

export class KeptRecords implements RecordJournal {
  readonly #types = new Map<string, Map<string, NetworkRecord>>();

  kept(type: string): Map<string, NetworkRecord> {
    let networks = this.#types.get(type);
    if (!networks) {
      networks = new Map();
      this.#types.set(type, networks);
    }
    return networks;
  }

  intend(): void {}

  settle(): void {}

  async load(type: string): Promise<readonly Row[]> {
    return [...(this.#types.get(type)?.values() ?? [])].flatMap((network) => rowsOf(type, network));
  }

  async types(): Promise<readonly string[]> {
    return [...this.#types].filter(([, networks]) => networks.size > 0).map(([type]) => type);
  }

  async close(): Promise<void> {
    this.#types.clear();
  }
}

/** Returns a network, its endpoints and their joins as rows of a journal. */
function rowsOf(type: string, network: NetworkRecord): Row[] {
  const { nid } = network;
  const rows: Row[] = [{ key: { type, nid }, entry: networkEntry(network) }];
  for (const endpoint of network.endpoints.values()) {
    const { eid, join, external } = endpoint;
    rows.push({ key: { type, nid, eid }, entry: endpointEntry(endpoint) });
    if (join) rows.push({ key: { type, nid, eid, join: true }, entry: joinEntry(join) });
    if (external) rows.push({ key: { type, nid, eid, external: true }, entry: external });
  }
  return rows;
}
