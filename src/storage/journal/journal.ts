/**
 * The journal: what each driver has accepted, and the calls to it that are not yet answered. Writes may be asynchronous, so that
 * a durable journal can combine many callers' writes into one flush.
 */
import type { JsonText } from "../../driverapi/json.js";
import type { InterfaceData, JoinData } from "../../driverapi/types.js";

/** `live`: accepted. `creating`, `deleting`: requested, outcome unknown. */
export type Phase = "creating" | "live" | "deleting";

/** Identifies a record. `eid` absent: a network; `join`, `external`: those of the endpoint. */
export interface RecordKey {
  readonly type: string;
  readonly nid: string;
  readonly eid?: string;
  readonly join?: true;
  /** The endpoint's external connectivity, as programmed. */
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
  /** The endpoint's interfaces: given by the platform, or filled in by the driver. */
  readonly interfaces: readonly InterfaceData[];
  /** Made by an operator's call, so that no engine's absence deletes it; absent: by a platform. */
  readonly byHand?: true;
}

export interface JoinEntry {
  readonly phase: Phase;
  readonly options: JsonText;
  readonly sboxKey: string;
  /** What the driver recorded; absent until it has replied. */
  readonly data?: JoinData;
}

export interface ExternalEntry {
  readonly phase: Phase;
  readonly options: JsonText;
}

export type JournalEntry = NetworkEntry | EndpointEntry | JoinEntry | ExternalEntry;

/** One write: an entry stored or removed. */
export interface JournalWrite {
  readonly key: RecordKey;
  /** undefined: the record is removed. */
  readonly entry: JournalEntry | undefined;
  /** True if `live` becomes `deleting`, or the reverse, and nothing else changes: then the rest need not be written again. */
  readonly phaseOnly?: boolean;
}

/** A write that may be done already. */
export type Written = void | Promise<void>;

export interface Journal {
  /**
   * Resolves when committed: the write outlives this process, but not yet a reboot. If there is a `commit` method, intents are
   * committed by that instead.
   */
  intend(write: JournalWrite): Written;
  /** Commits in one write all intents that did not return a promise. Throws if it fails. */
  commit?(): void;
  /** Resolves when flushed: the write survives a reboot. */
  settle(write: JournalWrite): Written;
  /** Returns everything recorded for a type, in no particular order. */
  load(type: string): Promise<readonly { readonly key: RecordKey; readonly entry: JournalEntry }[]>;
  /** Returns the types that have records. */
  types(): Promise<readonly string[]>;
  close(): Promise<void>;
}
