/**
 * Rebuilds the operations that an earlier host sent without seeing the reply: creates are undone, deletes repeated (README.md
 * here, "Outcome").
 */
import { EndpointConfig } from "../../driverapi/endpoint-config.js";
import { JoinConfig } from "../../driverapi/join-config.js";
import { CreateEndpoint } from "./create-endpoint.js";
import { programOperation, revokeOperation } from "./external-operations.js";
import type { Operation, OperationScope } from "./operation.js";
import {
  createNetworkOperation,
  deleteEndpointOperation,
  deleteNetworkOperation,
  joinOperation,
  leaveOperation,
} from "./operations.js";

/**
 * Returns the operations, innermost first. Their results are not awaited, and objects that a create would fill in are
 * discarded.
 */
export function unfinishedCalls(scope: OperationScope): readonly Operation<unknown>[] {
  const open: Operation<unknown>[] = [];
  for (const { nid, phase, options, endpoints } of scope.records.networks.values()) {
    for (const { eid, phase: endpointPhase, options: given, interfaces, join, external } of endpoints.values()) {
      if (external?.phase === "creating") open.push(programOperation(scope, nid, eid, external.options));
      else if (external?.phase === "deleting") open.push(revokeOperation(scope, nid, eid));
      if (join?.phase === "creating")
        open.push(joinOperation(scope, nid, eid, join.sboxKey, new JoinConfig(), [], join.options));
      else if (join?.phase === "deleting") open.push(leaveOperation(scope, nid, eid));
      if (endpointPhase === "creating")
        open.push(new CreateEndpoint(scope, nid, eid, new EndpointConfig(), interfaces, given));
      else if (endpointPhase === "deleting") open.push(deleteEndpointOperation(scope, nid, eid));
    }
    if (phase === "creating") open.push(createNetworkOperation(scope, nid, options));
    else if (phase === "deleting") open.push(deleteNetworkOperation(scope, nid));
  }
  return open;
}
