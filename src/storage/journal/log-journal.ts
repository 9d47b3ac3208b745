/** The journal in the data folder. */
import type { JsonObject } from "../../driverapi/json.js";
import type { StateFile } from "../state-file.js";
import type { Journal, JournalEntry, JournalWrite, RecordKey } from "./journal.js";

/** An entry in a row's JSON, in which its options are JSON too. */
type Stored<Entry> = Entry extends JournalEntry ? Omit<Entry, "options"> & { readonly options: JsonObject } : never;
type StoredEntry = Stored<JournalEntry>;

/**
 * A row's JSON. It contains the key as it was given, since the row's own key is only derived from it. `part`: true for a
 * join, a word for the parts added after the first journals were written.
 */
export type JournalRow = readonly [
  type: string,
  nid: string,
  eid: string | null,
  part: boolean | typeof EXTERNAL,
  entry: StoredEntry,
];

const EXTERNAL = "external";

export class LogJournal implements Journal {
  readonly #state: StateFile;

  constructor(state: StateFile) {
    this.#state = state;
  }

  /** Returns at once. Throws `ERR_JOURNAL_FAILED`, and for something new `ERR_STORAGE_FULL`. */
  intend({ key, entry }: JournalWrite): void {
    const body = bodyOf(key, entry);
    if (entry?.phase === "creating") this.#state.admit(Buffer.byteLength(body ?? ""));
    this.#state.log([{ table: "journal", key: keyOf(key), body }]);
  }

  commit(): void {
    this.#state.commit();
  }

  settle({ key, entry }: JournalWrite): Promise<void> {
    return this.#state.put("journal", keyOf(key), bodyOf(key, entry));
  }

  async load(type: string): Promise<readonly { readonly key: RecordKey; readonly entry: JournalEntry }[]> {
    return (await this.#rows()).flatMap(([owner, nid, eid, part, entry]) => {
      if (owner !== type) return [];
      const of = part === true ? { join: true as const } : part === EXTERNAL ? { external: true as const } : {};
      const key = { type, nid, ...(eid === null ? {} : { eid }), ...of };
      return [{ key, entry: { ...entry, options: JSON.stringify(entry.options) } }];
    });
  }

  async types(): Promise<readonly string[]> {
    return [...new Set((await this.#rows()).map(([type]) => type))];
  }

  /** Does nothing: the data folder outlives the journal. */
  async close(): Promise<void> {}

  async #rows(): Promise<readonly JournalRow[]> {
    return (await this.#state.rows("journal")).map(({ body }) => JSON.parse(body) as JournalRow);
  }
}

function bodyOf({ type, nid, eid, join, external }: RecordKey, entry: JournalEntry | undefined): string | undefined {
  if (entry === undefined) return undefined;
  const { options, ...rest } = entry;
  const head = JSON.stringify([type, nid, eid ?? null, external ? EXTERNAL : join === true, rest]);
  return `${head.slice(0, -2)},"options":${options}}]`;
}

/**
 * Builds a row's key. Each part is preceded by its length, so that no two keys are alike; in UTF-16, since ids are opaque and
 * may not be valid Unicode. At most (3 + 64 + 2 × (4 + 256) + 1) × 2 = 1,176 bytes.
 */
function keyOf({ type, nid, eid, join, external }: RecordKey): Buffer {
  const rest = eid === undefined ? "" : `${eid.length}:${eid}${external ? "x" : join ? "j" : "e"}`;
  return Buffer.from(`${type.length}:${type}${nid.length}:${nid}${rest}`, "utf16le");
}
