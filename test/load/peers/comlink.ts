/** `Comlink.wrap` here, `Comlink.expose` there, nothing else. */
import { once } from "node:events";
import { MessageChannel, Worker } from "node:worker_threads";
import * as Comlink from "comlink";
import { loadRequest } from "#dist/load/request.js";
import type { Peer } from "./peer.js";

interface Remote {
  createEndpoint(nid: string, eid: string, options: unknown): Promise<unknown>;
}

export const bareComlink: Peer = {
  id: "comlink",
  what: "bare comlink",
  async start() {
    const { port1, port2 } = new MessageChannel();
    const url = new URL("./comlink-worker.js", import.meta.url);
    const worker = new Worker(url, { workerData: port2, transferList: [port2] });
    const remote = Comlink.wrap(port1 as unknown as Comlink.Endpoint) as unknown as Remote;
    port1.start();
    await once(worker, "online");
    return {
      call(n) {
        const { nid, eid, options } = loadRequest(n);
        return remote.createEndpoint(nid, eid, options);
      },
      async stop() {
        port1.close();
        await worker.terminate();
      },
    };
  },
};
