/** The records of a driver's networks, endpoints and joins, as the host keeps them in memory. */
import type { DriverError } from "../../driverapi/errors.js";
import type { JsonText } from "../../driverapi/json.js";
import type { InterfaceData, JoinData } from "../../driverapi/types.js";
import type { JournalEntry, Phase } from "../../storage/journal/journal.js";
import { REPLAY } from "../limits.js";

export interface JoinRecord {
  phase: Phase;
  readonly sboxKey: string;
  readonly options: JsonText;
  data: JoinData | undefined;
}

/** External connectivity programmed for an endpoint, such as published ports. */
export interface ExternalRecord {
  readonly phase: Phase;
  readonly options: JsonText;
}

export interface EndpointRecord {
  readonly eid: string;
  phase: Phase;
  readonly options: JsonText;
  interfaces: readonly InterfaceData[];
  join: JoinRecord | undefined;
  external: ExternalRecord | undefined;
  /** Made by an operator's call: it stays until it is deleted, also without a sandbox. */
  byHand?: true;
}

export interface NetworkRecord {
  readonly nid: string;
  phase: Phase;
  readonly options: JsonText;
  readonly endpoints: Map<string, EndpointRecord>;
  /** Why it could not be restored in the running driver. */
  failed: DriverError | undefined;
  /** Workers that ended while this network was being restored. */
  kills: number;
}

/** Returns true if restoring it has ended so many workers that it is not tried any more. */
export function isQuarantined({ kills }: NetworkRecord): boolean {
  return kills >= REPLAY.quarantineAfter;
}

/** Returns the row of the journal for a network. */
export function networkEntry({ phase, options, kills }: NetworkRecord): JournalEntry {
  return { phase, options, ...(kills > 0 ? { kills } : {}) };
}

/** Returns the row of the journal for an endpoint, without its join and external connectivity. */
export function endpointEntry({ phase, options, interfaces, byHand }: EndpointRecord): JournalEntry {
  return { phase, options, interfaces, ...(byHand ? { byHand } : {}) };
}

/** Returns the row of the journal for a join. */
export function joinEntry({ phase, options, sboxKey, data }: JoinRecord): JournalEntry {
  return { phase, options, sboxKey, ...(data ? { data } : {}) };
}

/** Returns a network, or throws why it could not be restored: such a network accepts only deletes. */
export function restored(network: NetworkRecord): NetworkRecord {
  if (network.failed) throw network.failed;
  return network;
}
