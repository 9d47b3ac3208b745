/**
 * What one driver has accepted, as its host knows it: the journal's image in memory, and the only place that decides
 * existence.
 */

import { DriverError } from "../../driverapi/errors.js";
import type { JsonText } from "../../driverapi/json.js";
import type { InterfaceData, JoinData } from "../../driverapi/types.js";
import type { JournalEntry, Phase, RecordKey, Written } from "../../storage/journal/journal.js";
import type { RecordJournal } from "./kept-records.js";
import {
  type EndpointRecord,
  type ExternalRecord,
  endpointEntry,
  isQuarantined,
  joinEntry,
  type NetworkRecord,
  networkEntry,
} from "./record.js";

export class Records {
  readonly networks: Map<string, NetworkRecord>;
  readonly #type: string;
  readonly #journal: RecordJournal;
  /** True if the journal keeps the records themselves: nothing is written. */
  readonly #kept: boolean;

  constructor(type: string, journal: RecordJournal) {
    const kept = journal.kept?.(type);
    this.#type = type;
    this.#journal = journal;
    this.#kept = kept !== undefined;
    this.networks = kept ?? new Map();
  }

  /** Fills the image from the journal; only while no other operation is pending. */
  async load(): Promise<void> {
    if (this.#kept) {
      for (const record of this.networks.values()) record.failed = undefined;
      return;
    }
    const rows = await this.#journal.load(this.#type);
    const depth = (key: RecordKey): number => (key.join || key.external ? 2 : key.eid === undefined ? 0 : 1);
    for (const { key, entry } of [...rows].sort((a, b) => depth(a.key) - depth(b.key))) this.#adopt(key, entry);
  }

  /** Returns a network. Throws `ERR_NETWORK_NOT_FOUND`. */
  network(nid: string): NetworkRecord {
    const record = this.networks.get(nid);
    if (!record)
      throw new DriverError("ERR_NETWORK_NOT_FOUND", `network ${nid} does not exist`, { driver: this.#type });
    return record;
  }

  /** Returns true for a network that could not be restored in the driver, or that is quarantined. */
  isLost(nid: string): boolean {
    const record = this.networks.get(nid);
    return record !== undefined && (record.failed !== undefined || isQuarantined(record));
  }

  isQuarantined(nid: string): boolean {
    const record = this.networks.get(nid);
    return record !== undefined && isQuarantined(record);
  }

  /** Returns an endpoint. Throws `ERR_NETWORK_NOT_FOUND` or `ERR_ENDPOINT_NOT_FOUND`. */
  endpoint(nid: string, eid: string): EndpointRecord {
    const record = this.network(nid).endpoints.get(eid);
    if (!record)
      throw new DriverError("ERR_ENDPOINT_NOT_FOUND", `endpoint ${eid} does not exist on network ${nid}`, {
        driver: this.#type,
      });
    return record;
  }

  hasEndpoint(nid: string, eid: string): boolean {
    return this.#find(nid, eid) !== undefined;
  }

  createNetwork(nid: string, options: JsonText): Written {
    const record: NetworkRecord = {
      nid,
      phase: "creating",
      options,
      endpoints: new Map(),
      failed: undefined,
      kills: 0,
    };
    this.networks.set(nid, record);
    return this.#write({ type: this.#type, nid }, networkEntry(record), false);
  }

  createEndpoint(nid: string, eid: string, options: JsonText, given: readonly InterfaceData[]): Written {
    const record: EndpointRecord = {
      eid,
      phase: "creating",
      options,
      interfaces: given,
      join: undefined,
      external: undefined,
    };
    this.network(nid).endpoints.set(eid, record);
    return this.#writeEndpoint(nid, record);
  }

  createJoin(nid: string, eid: string, sboxKey: string, options: JsonText): Written {
    this.endpoint(nid, eid).join = { phase: "creating", sboxKey, options, data: undefined };
    const entry: JournalEntry = { phase: "creating", options, sboxKey };
    return this.#write({ type: this.#type, nid, eid, join: true }, entry, false);
  }

  /** Records the intent to delete a network, or its return to live. */
  markNetwork(nid: string, phase: "deleting" | "live"): Written {
    const record = this.network(nid);
    const change = phaseChange(record.phase, phase);
    record.phase = phase;
    if (change === "none") return;
    return this.#write({ type: this.#type, nid }, networkEntry(record), change === "phase");
  }

  /** Records how many workers have ended while it was being restored. The write is not awaited. */
  setKills(record: NetworkRecord, kills: number): void {
    if (record.kills === kills) return;
    record.kills = kills;
    if (this.#kept || this.networks.get(record.nid) !== record) return;
    const write = async (): Promise<void> =>
      this.#journal.intend({ key: { type: this.#type, nid: record.nid }, entry: networkEntry(record) });
    write().catch(() => {});
  }

  /** Marks an endpoint, if it still exists, as `markNetwork` does; `interfaces` when the driver has just filled them in. */
  markEndpoint(nid: string, eid: string, phase: "deleting" | "live", interfaces?: readonly InterfaceData[]): Written {
    const record = this.#find(nid, eid);
    if (!record) return;
    const change = phaseChange(record.phase, phase, interfaces);
    record.phase = phase;
    if (interfaces) record.interfaces = interfaces;
    if (change === "none") return;
    return this.#writeEndpoint(nid, record, change === "phase");
  }

  /** Marks a join, if it still exists, in the same way; `data` when the driver has just recorded it. */
  markJoin(nid: string, eid: string, phase: "deleting" | "live", data?: JoinData): Written {
    const record = this.#find(nid, eid)?.join;
    if (!record) return;
    const change = phaseChange(record.phase, phase, data);
    record.phase = phase;
    if (change === "none") return;
    if (data) record.data = data;
    return this.#write({ type: this.#type, nid, eid, join: true }, joinEntry(record), change === "phase");
  }

  /** Records that an operator's call made an endpoint, if it still exists. */
  markByHand(nid: string, eid: string): Written {
    const record = this.#find(nid, eid);
    if (!record || record.byHand) return;
    record.byHand = true;
    return this.#writeEndpoint(nid, record);
  }

  dropNetwork(nid: string): Written {
    this.networks.delete(nid);
    return this.#remove({ type: this.#type, nid });
  }

  /**
   * Removes an endpoint and what was programmed for it. The latter goes first: its row alone would be taken for a later
   * endpoint's.
   */
  dropEndpoint(nid: string, eid: string): Written {
    const external = this.#find(nid, eid)?.external && this.setExternal(nid, eid, undefined);
    this.networks.get(nid)?.endpoints.delete(eid);
    const dropped = this.#remove({ type: this.#type, nid, eid });
    return external ? Promise.all([external, dropped]).then(() => {}) : dropped;
  }

  /** Returns what is programmed for an endpoint; undefined if nothing is, or the endpoint does not exist. */
  external(nid: string, eid: string): ExternalRecord | undefined {
    return this.#find(nid, eid)?.external;
  }

  /** Records what is programmed for an endpoint that still exists; undefined: nothing. */
  setExternal(nid: string, eid: string, external: ExternalRecord | undefined): Written {
    const endpoint = this.#find(nid, eid);
    if (!endpoint) return;
    const { external: before } = endpoint;
    const change = phaseChange(before?.phase, external?.phase, before?.options !== external?.options);
    endpoint.external = external;
    if (external && change === "none") return;
    const key = { type: this.#type, nid, eid, external: true } as const;
    return external ? this.#write(key, external, change === "phase") : this.#remove(key);
  }

  dropJoin(nid: string, eid: string): Written {
    const endpoint = this.#find(nid, eid);
    if (endpoint) endpoint.join = undefined;
    return this.#remove({ type: this.#type, nid, eid, join: true });
  }

  #find(nid: string, eid: string): EndpointRecord | undefined {
    return this.networks.get(nid)?.endpoints.get(eid);
  }

  #writeEndpoint(nid: string, record: EndpointRecord, phaseOnly = false): Written {
    if (this.#kept) return;
    return this.#write({ type: this.#type, nid, eid: record.eid }, endpointEntry(record), phaseOnly);
  }

  #write(key: RecordKey, entry: JournalEntry, phaseOnly: boolean): Written {
    if (this.#kept) return;
    const write = { key, entry, phaseOnly };
    return entry.phase === "live" ? this.#journal.settle(write) : this.#journal.intend(write);
  }

  #remove(key: RecordKey): Written {
    if (!this.#kept) return this.#journal.settle({ key, entry: undefined });
  }

  #adopt({ nid, eid, join, external }: RecordKey, entry: JournalEntry): void {
    if (eid === undefined) {
      this.networks.set(nid, {
        nid,
        phase: entry.phase,
        options: entry.options,
        endpoints: new Map(),
        failed: undefined,
        kills: "kills" in entry ? (entry.kills ?? 0) : 0,
      });
      return;
    }
    const network = this.networks.get(nid);
    if (!network) return;
    if (!join && !external && "interfaces" in entry) {
      network.endpoints.set(eid, {
        eid,
        phase: entry.phase,
        options: entry.options,
        interfaces: entry.interfaces,
        join: undefined,
        external: undefined,
        ...(entry.byHand ? { byHand: true } : {}),
      });
      return;
    }
    const endpoint = network.endpoints.get(eid);
    if (endpoint && external) endpoint.external = { phase: entry.phase, options: entry.options };
    else if (endpoint && "sboxKey" in entry)
      endpoint.join = { phase: entry.phase, sboxKey: entry.sboxKey, options: entry.options, data: entry.data };
  }
}

/**
 * Returns what of a record must be written: nothing if its deletion is intended already, only its phase if it is live and is to be deleted,
 * or the reverse. `more`: what else has changed.
 */
function phaseChange(before: Phase | undefined, after: Phase | undefined, more?: unknown): "none" | "phase" | "all" {
  if (more || before === "creating" || before === undefined) return "all";
  if (before === after) return after === "deleting" ? "none" : "all";
  return after === "creating" ? "all" : "phase";
}
