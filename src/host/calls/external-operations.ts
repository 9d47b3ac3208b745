/** The two calls of external connectivity as operations: to program it for an endpoint, and to revoke it. */
import type { JsonText } from "../../driverapi/json.js";
import type { Written } from "../../storage/journal/journal.js";
import { idArgs, noop, type Operation, type OperationScope, removal, restoredEndpoint } from "./operation.js";
import type { ExternalRecord } from "./record.js";

/**
 * Replaces what is programmed. If the call is refused, the previous state still holds; if its outcome is unknown, all of it
 * is revoked.
 */
export function programOperation(
  { records, replay }: OperationScope,
  nid: string,
  eid: string,
  options: JsonText,
): Operation<void> {
  let before: ExternalRecord | undefined;
  return {
    method: "programExternalConnectivity",
    nid,
    eid,
    inverse: "revokeExternalConnectivity",
    admit() {
      if (replay) restoredEndpoint(records, nid, eid);
      before = records.external(nid, eid);
    },
    skippable: ({ external }) => !external,
    intend: () => records.setExternal(nid, eid, { phase: "creating", options }),
    args: () => [...idArgs(nid, eid), options, "false"],
    read: noop,
    accept: () => records.setExternal(nid, eid, { phase: "live", options }),
    refuse: () => records.setExternal(nid, eid, before),
    undone: () => records.setExternal(nid, eid, undefined),
  };
}

/**
 * Revokes what is programmed. If nothing is, succeeds without a call; under `recovery: "self"` only the driver knows, and is
 * called.
 */
export function revokeOperation(scope: OperationScope, nid: string, eid: string): Operation<void> {
  const { records, replay } = scope;
  const mark = (phase: "live" | "deleting"): Written => {
    const programmed = records.external(nid, eid);
    return programmed && records.setExternal(nid, eid, { phase, options: programmed.options });
  };
  return {
    ...removal(scope, nid, eid),
    method: "revokeExternalConnectivity",
    admit() {
      if (replay) records.endpoint(nid, eid);
    },
    skippable: ({ external }) => (replay ? records.external(nid, eid) === undefined : !external),
    intend: () => mark("deleting"),
    accept: () => records.setExternal(nid, eid, undefined),
    refuse: () => mark("live"),
  };
}
