/** The journal in the data folder. */
import type { JsonObject } from "../../driverapi/json.js";
import { rowValue } from "../row-shape.js";
import type { StateFile } from "../state-file.js";
import type { Row, Write } from "../tables.js";
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

/**
 * The body of a mark: a row that says that the deletion of the row before it was requested. It is small, so that a full disk has room for
 * many; the record's own row stays as it is.
 */
const MARK = JSON.stringify("deleting");

/** What a mark's key has behind the key of its row; in latin1. */
const MARKED = "d\0";

/** Returns the key of a row's mark. */
export function markKey(key: Buffer): Buffer {
  return Buffer.concat([key, Buffer.from(MARKED, "latin1")]);
}

export function isMark({ body }: Row): boolean {
  return body === MARK;
}

/** Returns the journal's records, each in the phase that its mark says. */
export function recordsOf(rows: readonly Row[]): readonly JournalRow[] {
  const marked = new Set(rows.filter(isMark).map(({ key }) => key.toString("latin1")));
  return rows
    .filter((row) => !isMark(row))
    .map(({ key, body }) => {
      const row = JSON.parse(body) as JournalRow;
      if (marked.size === 0 || !marked.has(markKey(key).toString("latin1"))) return row;
      const [type, nid, eid, part, entry] = row;
      return [type, nid, eid, part, { ...entry, phase: "deleting" }];
    });
}

/** Characters at the start of a latin1 key that contain its type: at most 64 UTF-16 units, preceded by their number. */
const TYPE_CHARS = 2 * (3 + 64);

type LoadedRecord = Awaited<ReturnType<Journal["load"]>>[number];

export class LogJournal implements Journal {
  readonly #state: StateFile;
  /** Keys of the rows that have marks, in latin1. Complete for what was loaded. */
  readonly #marks = new Set<string>();

  constructor(state: StateFile) {
    this.#state = state;
  }

  /** Returns at once. Throws `ERR_JOURNAL_FAILED`, and for something new `ERR_STORAGE_FULL`. */
  intend({ key, entry, phaseOnly }: JournalWrite): void {
    const row = keyOf(key);
    if (phaseOnly && entry?.phase === "deleting") {
      this.#state.log([{ table: "journal", key: row + MARKED, body: MARK }]);
      this.#marks.add(row);
      return;
    }
    const body = bodyOf(key, entry);
    if (entry?.phase === "creating") this.#state.admit(Buffer.byteLength(body ?? ""));
    const write = { table: "journal", key: row, body } as const;
    this.#state.log(this.#marks.delete(row) ? [unmarked(row), write] : [write]);
  }

  commit(): void {
    this.#state.commit();
  }

  settle({ key, entry, phaseOnly }: JournalWrite): Promise<void> {
    const row = keyOf(key);
    const isMarked = this.#marks.delete(row);
    if (isMarked && phaseOnly) return this.#state.putAll([unmarked(row)]);
    const write = { table: "journal", key: row, body: bodyOf(key, entry) } as const;
    return this.#state.putAll(isMarked ? [unmarked(row), write] : [write]);
  }

  /** Throws `ERR_JOURNAL_CORRUPT`. */
  async load(type: string): Promise<readonly LoadedRecord[]> {
    const start = `[${JSON.stringify(type)},`;
    const found: { readonly row: string; readonly key: RecordKey; readonly entry: JournalEntry }[] = [];
    /** Options by their text: many endpoints have the same, which is then in memory once. */
    const texts = new Map<string, string>();
    for (const [row, body] of this.#state.eachRow("journal")) {
      if (body === MARK) this.#marks.add(row.slice(0, -MARKED.length));
      if (!body.startsWith(start)) continue;
      const [, nid, eid, part, entry] = rowValue(this.#state.folder, "journal", body) as JournalRow;
      const of = part === true ? { join: true as const } : part === EXTERNAL ? { external: true as const } : {};
      const text = JSON.stringify(entry.options);
      const options = texts.get(text) ?? text;
      texts.set(text, options);
      found.push({ row, key: { type, nid, ...(eid === null ? {} : { eid }), ...of }, entry: { ...entry, options } });
    }
    return found.map(({ row, key, entry }) => {
      const marked = this.#marks.has(row);
      return { key, entry: marked ? { ...entry, phase: "deleting" } : entry };
    });
  }

  /** Reads no values: the keys say it. */
  async types(): Promise<readonly string[]> {
    return [...new Set(Array.from(this.#state.keys("journal"), typeOf))];
  }

  /** Does nothing: the data folder outlives the journal. */
  async close(): Promise<void> {}
}

function bodyOf({ type, nid, eid, join, external }: RecordKey, entry: JournalEntry | undefined): string | undefined {
  if (entry === undefined) return undefined;
  const part = external ? EXTERNAL : join === true;
  const head = JSON.stringify([type, nid, eid ?? null, part, { ...entry, options: undefined }]);
  return `${head.slice(0, -2)},"options":${entry.options}}]`;
}

/** Returns the write that removes a row's mark. */
function unmarked(row: string): Write {
  return { table: "journal", key: row + MARKED, body: undefined };
}

/** Most bytes of a key. */
const KEY_BYTES = 1176;

const SCRATCH = Buffer.alloc(2 * KEY_BYTES);

/**
 * Builds a row's key, in latin1. Each part is preceded by its length, so that no two keys are alike; in UTF-16, since ids are opaque and
 * may not be valid Unicode. At most (3 + 64 + 2 × (4 + 256) + 1) × 2 = 1,176 bytes, and two more in a mark.
 */
function keyOf({ type, nid, eid, join, external }: RecordKey): string {
  const rest = eid === undefined ? "" : `${eid.length}:${eid}${external ? "x" : join ? "j" : "e"}`;
  const text = `${type.length}:${type}${nid.length}:${nid}${rest}`;
  if (2 * text.length > SCRATCH.length) throw new RangeError(`the key of ${nid.slice(0, 64)} is too long`);
  return SCRATCH.toString("latin1", 0, SCRATCH.write(text, "utf16le"));
}

/** Returns the type in a row's key, which is in latin1. */
function typeOf(row: string): string {
  const key = Buffer.from(row.slice(0, TYPE_CHARS), "latin1").toString("utf16le");
  const from = key.indexOf(":") + 1;
  return key.slice(from, from + Number.parseInt(key, 10));
}
