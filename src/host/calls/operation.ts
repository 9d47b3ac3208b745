/** One driver call as the host conducts it: what to check, journal, send and read, and how to undo it. */
import type { Json } from "../../driverapi/json.js";
import type { WorkerMethod } from "../../protocol/messages.js";
import type { LiveDriver } from "./host-call.js";

export type Written = void | Promise<void>;

export interface Operation<T> {
  readonly method: WorkerMethod;
  /** undefined: the call concerns no network, and waits for no lock. */
  readonly nid: string | undefined;
  /** undefined: the network as a whole. */
  readonly eid: string | undefined;
  /** Existence and order, decided before any frame is sent. Throws `DriverError`. */
  admit(): void;
  /** True where the call succeeds without asking the driver. Checked once the call is admitted. */
  needless?(live: LiveDriver): boolean;
  /** Journals the call that is about to be sent. */
  intend(): Written;
  /** The call's arguments after the driver's index, as JSON texts. */
  args(): readonly string[];
  /** Resolves when what `read` must know of the machine is known; absent, or undefined: it is known already. */
  ready?(): Promise<void> | undefined;
  /** Reads the driver's reply, and applies it to the platform's objects. A throw refuses the reply, which is then rolled back. */
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
  lost?(): boolean;
  /** True where the network is quarantined: while no driver is in service, the host deletes without one. */
  quarantined?(): boolean;
}

/** The arguments of the inverse call, and of any call that takes ids alone. */
export function idArgs(nid: string, eid: string | undefined): readonly string[] {
  return eid === undefined ? [JSON.stringify(nid)] : [JSON.stringify(nid), JSON.stringify(eid)];
}
