/**
 * `createEndpoint` as an operation. It is a class while the others are literals: many exist at a time, and a literal with its
 * closures takes several times the memory.
 */
import { parseInterfaces } from "../../driverapi/data.js";
import { DriverError } from "../../driverapi/errors.js";
import type { Json, JsonText } from "../../driverapi/json.js";
import type { EndpointInfo, InterfaceData } from "../../driverapi/types.js";
import { LIMITS } from "../../protocol/limits.js";
import type { Written } from "../../storage/journal/journal.js";
import type { Operation, OperationScope } from "./operation.js";
import { applyInterfaces } from "./platform-objects.js";
import { restored } from "./record.js";

export class CreateEndpoint implements Operation<void> {
  readonly method = "createEndpoint";
  readonly nid: string;
  readonly eid: string;
  readonly #scope: OperationScope;
  readonly #epInfo: EndpointInfo;
  readonly #given: readonly InterfaceData[];
  readonly #options: JsonText;
  #known = false;
  #interfaces: readonly InterfaceData[];

  constructor(
    scope: OperationScope,
    nid: string,
    eid: string,
    epInfo: EndpointInfo,
    given: readonly InterfaceData[],
    options: JsonText,
  ) {
    this.#scope = scope;
    this.nid = nid;
    this.eid = eid;
    this.#epInfo = epInfo;
    this.#given = given;
    this.#options = options;
    this.#interfaces = given;
  }

  get inverse(): "deleteEndpoint" | undefined {
    return this.#known ? undefined : "deleteEndpoint";
  }

  admit(): void {
    const { nid, eid } = this;
    const { records, replay, type } = this.#scope;
    this.#known = records.hasEndpoint(nid, eid);
    if (!replay) return;
    restored(records.network(nid));
    if (this.#known)
      throw new DriverError("ERR_ENDPOINT_EXISTS", `endpoint ${eid} exists already on network ${nid}`, {
        driver: type,
      });
  }

  intend(): Written {
    const { records } = this.#scope;
    if (this.#known || !records.networks.has(this.nid)) return;
    return records.createEndpoint(this.nid, this.eid, this.#options, this.#given);
  }

  args(): readonly string[] {
    const { nid, eid } = this;
    return [JSON.stringify(nid), JSON.stringify(eid), JSON.stringify(this.#given), this.#options, "false"];
  }

  ready(): Promise<void> | undefined {
    return this.#scope.refreshHost();
  }

  read(value: Json): void {
    const added = parseInterfaces(value, LIMITS.interfaces);
    if (added.length === 0) return;
    if (this.#given.length > 0)
      throw new DriverError("ERR_INTERFACES_GIVEN", "it added interfaces, although the platform gave a list of them");
    this.#scope.checkInterfaces(added);
    applyInterfaces(this.#epInfo, added);
    this.#interfaces = added;
  }

  accept(): Written {
    return this.#scope.records.markEndpoint(this.nid, this.eid, "live", this.#interfaces);
  }

  refuse(): Written {
    if (!this.#known) return this.#scope.records.dropEndpoint(this.nid, this.eid);
  }
}
