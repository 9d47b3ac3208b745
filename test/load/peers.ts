/** What Bulkhead is measured against: a raw `postMessage` echo, and comlink as it comes. */
import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import * as Comlink from "comlink";
import type { Peer } from "./closed-loop.js";
import { request } from "./workload.js";

/** One message each way per call, structured clone, no batching, no checks: the floor. */
export function rawEcho(): Peer {
  let worker: Worker;
  const waiting = new Map<number, (value: unknown) => void>();
  return {
    id: "raw-echo",
    what: "raw postMessage echo",
    async start() {
      worker = new Worker(new URL("./peer-raw-echo.js", import.meta.url));
      worker.on("message", ({ id, answer }: { id: number; answer: unknown }) => {
        waiting.get(id)?.(answer);
        waiting.delete(id);
      });
      await new Promise((resolve) => worker.once("online", resolve));
    },
    call(n) {
      return new Promise((resolve) => {
        waiting.set(n, resolve);
        worker.postMessage({ id: n, request: request(n) });
      });
    },
    async stop() {
      await worker.terminate();
    },
  };
}

/** `Comlink.wrap` here, `Comlink.expose` there, nothing else. */
export function bareComlink(): Peer {
  let worker: Worker;
  let remote: { createEndpoint(nid: string, eid: string, options: unknown): Promise<unknown> };
  return {
    id: "bare-comlink",
    what: "bare comlink",
    async start() {
      const { port1, port2 } = new MessageChannel();
      worker = new Worker(new URL("./peer-comlink.js", import.meta.url), { workerData: port2, transferList: [port2] });
      remote = Comlink.wrap(port1 as unknown as Comlink.Endpoint) as unknown as typeof remote;
      (port1 as MessagePort).start();
      await new Promise((resolve) => worker.once("online", resolve));
    },
    call(n) {
      const { nid, eid, options } = request(n);
      return remote.createEndpoint(nid, eid, options);
    },
    async stop() {
      await worker.terminate();
    },
  };
}
