/** One driver call as the host conducts it: what to check, journal, send and read, and how to undo it. */
import type { Json } from "../../driverapi/json.js";
import type { InterfaceData, JoinData } from "../../driverapi/types.js";
import type { WorkerMethod } from "../../protocol/messages.js";
import type { Written } from "../../storage/journal/journal.js";
import type { LiveDriver } from "./host-call.js";
import { type EndpointRecord, restored } from "./record.js";
import type { Records } from "./records.js";

export interface Operation<T> {
  readonly method: WorkerMethod;
  /** undefined: the call does not concern a network, and does not take a lock. */
  readonly nid: string | undefined;
  /** undefined: the network as a whole. */
  readonly eid: string | undefined;
  /** Checks existence and order before any frame is sent. Throws `DriverError`. */
  admit(): void;
  /** True where the call succeeds without asking the driver. Checked once the call is admitted. */
  skippable?(live: LiveDriver): boolean;
  /** Journals the call that is about to be sent. */
  intend(): Written;
  /** The call's arguments after the driver's index, as JSON texts. */
  args(): readonly string[];
  /** Refreshes what `read` checks against, such as the host's addresses; absent, or undefined: it is recent enough. */
  ready?(): Promise<void> | undefined;
  /**
   * Reads the driver's reply, and applies it to the platform's objects. If it throws, the reply is refused and the call rolled
   * back.
   */
  read(value: Json): T;
  /** Journals that the driver has carried out the call. */
  accept(result: T): Written;
  /** Journals that the driver has not carried out the call. */
  refuse(): Written;
  /** Journals that the inverse has undone the call; absent: as `refuse`. */
  undone?(): Written;
  /** The call that undoes a create, join or program; absent for the others. */
  readonly inverse?: WorkerMethod | undefined;
  /** A delete, leave or revoke: if its outcome is unknown, it is repeated until answered. */
  readonly repeats?: true;
  /** The call changes nothing: if another plugin's fault ended the worker, it is repeated within its deadline. */
  readonly reads?: true;
  /** True where the driver may not know what is deleted, since it could not be restored: NotFound is then success. */
  notRestored?(): boolean;
  /** True where the network is quarantined: while no driver is in service, the host deletes without one. */
  quarantined?(): boolean;
}

/** The arguments of the inverse call, and of any call that takes ids alone. */
export function idArgs(nid: string, eid: string | undefined): readonly string[] {
  return eid === undefined ? [JSON.stringify(nid)] : [JSON.stringify(nid), JSON.stringify(eid)];
}

/** What operations are built from: one driver's records, and how strictly existence is enforced. */
export interface OperationScope {
  readonly type: string;
  readonly records: Records;
  /** False for a driver with `recovery: "self"`: it keeps its own state, and decides existence itself. */
  readonly replay: boolean;
  /** Returns why the plugin refuses new networks; undefined if it accepts them. */
  draining(): string | undefined;
  /** Refreshes the view of the host for the two checks below; undefined: it is recent. */
  refreshHost(): Promise<void> | undefined;
  /** Throws for interfaces that a driver may not record. */
  checkInterfaces(interfaces: readonly InterfaceData[]): void;
  /** Throws for a join that a driver may not record. */
  checkJoin(data: JoinData): void;
}

export const noop = (): void => {};

/** Returns what every delete, leave and revoke has in common. */
export function removal({ records }: OperationScope, nid: string, eid: string | undefined): Removal {
  return {
    nid,
    eid,
    repeats: true,
    notRestored: () => records.isLost(nid),
    quarantined: () => records.isQuarantined(nid),
    args: () => idArgs(nid, eid),
    read: noop,
  };
}

type Removal = Pick<Operation<void>, "nid" | "eid" | "repeats" | "notRestored" | "quarantined" | "args" | "read">;

/** Returns an endpoint of a network that is in service. Throws `ERR_NETWORK_NOT_FOUND`, `ERR_ENDPOINT_NOT_FOUND`, `ERR_REPLAY_FAILED`. */
export function restoredEndpoint(records: Records, nid: string, eid: string): EndpointRecord {
  restored(records.network(nid));
  return records.endpoint(nid, eid);
}
