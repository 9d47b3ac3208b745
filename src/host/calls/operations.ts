/** Calls as operations: what each checks, journals, sends and reads. README.md here has the rules. */
import { shortList } from "../../common/text.js";
import { parseJoinData } from "../../driverapi/data.js";
import { DriverError } from "../../driverapi/errors.js";
import { isJsonObject, type Json, type JsonObject, type JsonText } from "../../driverapi/json.js";
import type { JoinData, JoinInfo } from "../../driverapi/types.js";
import { LIMITS } from "../../protocol/limits.js";
import { idArgs, noop, type Operation, type OperationScope, removal, restoredEndpoint } from "./operation.js";
import { applyJoin } from "./platform-objects.js";

export function configOperation(options: JsonText): Operation<void> {
  return {
    method: "config",
    nid: undefined,
    eid: undefined,
    admit: noop,
    intend: noop,
    args: () => [options],
    read: noop,
    accept: noop,
    refuse: noop,
  };
}

export function createNetworkOperation(scope: OperationScope, nid: string, options: JsonText): Operation<void> {
  const { records, type } = scope;
  // Only under `recovery: "self"`: the driver judges a second create, and undoing that would undo the first.
  let known = false;
  return {
    method: "createNetwork",
    nid,
    eid: undefined,
    get inverse() {
      return known ? undefined : ("deleteNetwork" as const);
    },
    admit() {
      known = records.networks.has(nid);
      const draining = known ? undefined : scope.draining();
      if (draining !== undefined)
        throw new DriverError("ERR_PLUGIN_STOPPED", `driver "${type}" does not accept new networks: ${draining}`, {
          driver: type,
        });
      if (scope.replay && known)
        throw new DriverError("ERR_NETWORK_EXISTS", `network ${nid} exists already`, { driver: type });
    },
    intend: () => (known ? undefined : records.createNetwork(nid, options)),
    args: () => [JSON.stringify(nid), options, "false"],
    read: noop,
    accept: () => records.markNetwork(nid, "live"),
    refuse: () => (known ? undefined : records.dropNetwork(nid)),
  };
}

export function deleteNetworkOperation(scope: OperationScope, nid: string): Operation<void> {
  const { records, type } = scope;
  return {
    ...removal(scope, nid, undefined),
    method: "deleteNetwork",
    admit() {
      if (!scope.replay) return;
      const { endpoints } = records.network(nid);
      if (endpoints.size > 0)
        throw new DriverError(
          "ERR_NETWORK_IN_USE",
          `network ${nid} has ${endpoints.size} endpoint(s): ${shortList(endpoints.keys())}; delete them first`,
          { driver: type },
        );
    },
    intend: () => (records.networks.has(nid) ? records.markNetwork(nid, "deleting") : undefined),
    accept: () => records.dropNetwork(nid),
    refuse: () => (records.networks.has(nid) ? records.markNetwork(nid, "live") : undefined),
  };
}

export function deleteEndpointOperation(scope: OperationScope, nid: string, eid: string): Operation<void> {
  const { records, type } = scope;
  return {
    ...removal(scope, nid, eid),
    method: "deleteEndpoint",
    admit() {
      if (!scope.replay) return;
      if (records.endpoint(nid, eid).join)
        throw new DriverError("ERR_ENDPOINT_IN_USE", `endpoint ${eid} is joined to a sandbox; leave it first`, {
          driver: type,
        });
    },
    intend: () => records.markEndpoint(nid, eid, "deleting"),
    accept: () => records.dropEndpoint(nid, eid),
    refuse: () => records.markEndpoint(nid, eid, "live"),
  };
}

export function endpointOperInfoOperation(scope: OperationScope, nid: string, eid: string): Operation<JsonObject> {
  return {
    method: "endpointOperInfo",
    nid,
    eid,
    reads: true,
    admit() {
      if (scope.replay) restoredEndpoint(scope.records, nid, eid);
    },
    intend: noop,
    args: () => idArgs(nid, eid),
    read(value: Json) {
      if (!isJsonObject(value)) {
        const why = typeof value === "string" ? `: ${value.slice(0, 400)}` : "";
        throw new DriverError("ERR_DRIVER_REPLY", `it did not return a JSON object${why}`);
      }
      return value;
    },
    accept: noop,
    refuse: noop,
  };
}

export function joinOperation(
  scope: OperationScope,
  nid: string,
  eid: string,
  sboxKey: string,
  jinfo: JoinInfo,
  asked: readonly number[],
  options: JsonText,
): Operation<void> {
  const { records, type } = scope;
  let ids: readonly number[] = asked;
  let data: JoinData | undefined;
  let known = false;
  return {
    method: "join",
    nid,
    eid,
    get inverse() {
      return known ? undefined : ("leave" as const);
    },
    admit() {
      known = records.networks.get(nid)?.endpoints.get(eid)?.join !== undefined;
      if (scope.replay) {
        const endpoint = restoredEndpoint(records, nid, eid);
        if (endpoint.join)
          throw new DriverError(
            "ERR_ENDPOINT_JOINED",
            `endpoint ${eid} is already joined to ${endpoint.join.sboxKey}`,
            { driver: type },
          );
      }
      if (asked.length === 0)
        ids = (records.networks.get(nid)?.endpoints.get(eid)?.interfaces ?? []).map((one) => one.id);
    },
    intend: () =>
      records.hasEndpoint(nid, eid) && !known ? records.createJoin(nid, eid, sboxKey, options) : undefined,
    args: () => [
      JSON.stringify(nid),
      JSON.stringify(eid),
      JSON.stringify(sboxKey),
      JSON.stringify(ids),
      options,
      "false",
    ],
    ready: () => scope.refreshHost(),
    read(value) {
      const read = parseJoinData(value, new Set(ids), LIMITS.routes);
      scope.checkJoin(read);
      applyJoin(jinfo, ids, read);
      data = read;
    },
    accept: () => records.markJoin(nid, eid, "live", data),
    refuse: () => (known ? undefined : records.dropJoin(nid, eid)),
  };
}

export function leaveOperation(scope: OperationScope, nid: string, eid: string): Operation<void> {
  const { records, type } = scope;
  return {
    ...removal(scope, nid, eid),
    method: "leave",
    admit() {
      if (!scope.replay) return;
      if (!records.endpoint(nid, eid).join)
        throw new DriverError("ERR_ENDPOINT_NOT_JOINED", `endpoint ${eid} is not joined to a sandbox`, {
          driver: type,
        });
    },
    intend: () => records.markJoin(nid, eid, "deleting"),
    accept: () => records.dropJoin(nid, eid),
    refuse: () => records.markJoin(nid, eid, "live"),
  };
}
