/** A driver called where it is, by an `await`: no wall at all. */
import { loadRequest } from "#dist/load/request.js";
import { ANSWER, type Peer } from "./peer.js";

export const direct: Peer = {
  id: "direct",
  what: "in-process direct call",
  async start() {
    const driver = { createEndpoint: async (_nid: string, _eid: string, _options: unknown) => ANSWER };
    return {
      call(n) {
        const { nid, eid, options } = loadRequest(n);
        return driver.createEndpoint(nid, eid, options);
      },
      async stop() {},
    };
  },
};
