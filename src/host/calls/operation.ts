/** One driver call as the host conducts it: what to check, journal, send, read, and how to take it back. */
import type { Json } from "../../driverapi/json.js";
import type { WorkerMethod } from "../../protocol/messages.js";
import type { Served } from "./ask.js";

export type Written = void | Promise<void>;

export interface Operation<T> {
  readonly method: WorkerMethod;
  /** undefined: the call concerns no network, and waits for none. */
  readonly nid: string | undefined;
  /** undefined: the network as a whole. */
  readonly eid: string | undefined;
  /** Existence and order, decided before any frame is sent. Throws `DriverError`. */
  admit(): void;
  /** True where it succeeds without the driver being asked. Looked at once it is admitted. */
  needless?(served: Served): boolean;
  /** Journals what is about to be asked. */
  intend(): Written;
  /** The call's arguments after the driver's index, as JSON texts. */
  args(): readonly string[];
  /** What must be known of the host before `read`; absent, or undefined: nothing that is not. */
  ready?(): Promise<void> | undefined;
  /** Reads the driver's reply, and applies it to the platform's objects. Throws: the reply is refused and rolled back. */
  read(value: Json): T;
  /** Journals that the driver has done it. */
  accept(result: T): Written;
  /** Journals that the driver has not done it. */
  refuse(): Written;
  /** Journals that its inverse has undone it; absent: as `refuse`. */
  undone?(): Written;
  /** The call that undoes a create, join or program; absent for the others. */
  readonly inverse?: WorkerMethod | undefined;
  /** A delete, leave or revoke: of unknown outcome it is repeated until answered. */
  readonly repeats?: true;
  /** It changes nothing: when its worker went for another plugin's fault, it is asked again within its deadline. */
  readonly reads?: true;
  /** The driver may not know what is deleted, since it could not be restored: NotFound is then success. */
  lost?(): boolean;
  /** Its network is not restored in a driver any more: while none is in service, the host deletes it alone. */
  quarantined?(): boolean;
}

/** The arguments of the inverse call, and of any call that takes ids alone. */
export function idArgs(nid: string, eid: string | undefined): readonly string[] {
  return eid === undefined ? [JSON.stringify(nid)] : [JSON.stringify(nid), JSON.stringify(eid)];
}
