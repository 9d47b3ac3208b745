/** Bulkhead as one more peer: `createEndpoint` through a host with existence, journal, deadlines and checks of every reply. */
import { EndpointConfig } from "bulkhead";
import { LOAD_NETWORK, loadRequest } from "#dist/load/request.js";
import type { Isolation } from "./costs.js";
import { openHouse } from "./hosts.js";
import type { Peer } from "./peers/peer.js";
import { driverSource } from "./plugins.js";

/** `durable`: with a journal on disk. */
export function ours(isolation: Isolation, durable = false): Peer {
  return {
    id: `${isolation}${durable ? "-durable" : ""}`,
    what: `isolation "${isolation}"${durable ? ", journal on disk" : ""}`,
    async start() {
      const house = await openHouse({ isolation, durable, plugins: { load: driverSource() } });
      const driver = house.host.driver("load");
      await driver.createNetwork(LOAD_NETWORK);
      return {
        call(n) {
          const { nid, eid, options } = loadRequest(n);
          return driver.createEndpoint(nid, eid, new EndpointConfig(), options);
        },
        stop: house.stop,
      };
    },
  };
}
