/**
 * The journal: what each driver has accepted, and what it has been asked and not yet answered.
 * An intent is committed before its frame goes out, an outcome flushed before the caller is told. Every write may be
 * asynchronous, so that a durable journal can gather many callers' writes into one flush; a journal in memory answers at once.
 */
import type { JsonText } from "../../driverapi/json.js";
import type { InterfaceData, JoinData } from "../../driverapi/types.js";

/** `live`: accepted. `creating`, `deleting`: asked, outcome not known. */
export type Phase = "creating" | "live" | "deleting";

/** What a record is of. `eid` absent: a network; `join`, `external`: that of the endpoint. */
export interface RecordKey {
  readonly type: string;
  readonly nid: string;
  readonly eid?: string;
  readonly join?: true;
  /** Its external connectivity, as programmed. */
  readonly external?: true;
}

export interface NetworkEntry {
  readonly phase: Phase;
  readonly options: JsonText;
  /** Workers that ended while it was being restored; absent: none. */
  readonly kills?: number;
}

export interface EndpointEntry {
  readonly phase: Phase;
  readonly options: JsonText;
  /** The interfaces the endpoint has: given by the platform, or filled in by the driver. */
  readonly interfaces: readonly InterfaceData[];
}

export interface JoinEntry {
  readonly phase: Phase;
  readonly options: JsonText;
  readonly sboxKey: string;
  /** What the driver recorded; absent until it has answered. */
  readonly data?: JoinData;
}

export interface ExternalEntry {
  readonly phase: Phase;
  readonly options: JsonText;
}

export type JournalEntry = NetworkEntry | EndpointEntry | JoinEntry | ExternalEntry;

/** One write: an entry put, or removed. */
export interface JournalWrite {
  readonly key: RecordKey;
  /** undefined: the record is gone. */
  readonly entry: JournalEntry | undefined;
}

export interface Journal {
  /** Resolves when committed: it outlives this process, though not yet the machine. Where there is a `commit`, that commits. */
  intend(write: JournalWrite): void | Promise<void>;
  /** Commits all that was intended and did not answer with a promise: many callers' intents at once. Throws. */
  commit?(): void;
  /** Resolves when flushed: it outlives the machine. */
  settle(write: JournalWrite): void | Promise<void>;
  /** Everything recorded for a type, in no order. */
  load(type: string): Promise<readonly { readonly key: RecordKey; readonly entry: JournalEntry }[]>;
  /** The types something is recorded for. */
  types(): Promise<readonly string[]>;
  close(): Promise<void>;
}
