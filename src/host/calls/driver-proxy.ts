/** The platform's object for a network type: it outlives workers, reloads, and the plugin's unloading and return. */
import type { HostedDriver } from "../../driverapi/types.js";

export class DriverProxy {
  /** Made of closures, so that methods work when detached from the object. */
  readonly driver: HostedDriver;
  /** The driver behind it: of the current registration, or of the last one. */
  current: HostedDriver;

  constructor(current: HostedDriver) {
    this.current = current;
    const type = current.type();
    this.driver = Object.freeze<HostedDriver>({
      type: () => type,
      config: (options, call) => this.current.config(options, call),
      createNetwork: (nid, options, call) => this.current.createNetwork(nid, options, call),
      deleteNetwork: (nid, call) => this.current.deleteNetwork(nid, call),
      createEndpoint: (nid, eid, epInfo, options, call) => this.current.createEndpoint(nid, eid, epInfo, options, call),
      deleteEndpoint: (nid, eid, call) => this.current.deleteEndpoint(nid, eid, call),
      endpointOperInfo: (nid, eid, call) => this.current.endpointOperInfo(nid, eid, call),
      join: (nid, eid, sboxKey, jinfo, options, call) => this.current.join(nid, eid, sboxKey, jinfo, options, call),
      leave: (nid, eid, call) => this.current.leave(nid, eid, call),
      programExternalConnectivity: (nid, eid, options, call) =>
        this.current.programExternalConnectivity(nid, eid, options, call),
      revokeExternalConnectivity: (nid, eid, call) => this.current.revokeExternalConnectivity(nid, eid, call),
    });
  }
}
