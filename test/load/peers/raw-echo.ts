/** One message each way per call, structured clone, no batching, no checks: the floor for threads. */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { loadRequest } from "#dist/load/request.js";
import { type Peer, Waiting } from "./peer.js";

export const rawEcho: Peer = {
  id: "raw-echo",
  what: "raw postMessage echo",
  async start() {
    const worker = new Worker(new URL("./raw-echo-worker.js", import.meta.url));
    const waiting = new Waiting();
    worker.on("message", ({ id, answer }: { id: number; answer: unknown }) => waiting.answered(id, answer));
    await once(worker, "online");
    return {
      call: (n) => waiting.wait(n, () => worker.postMessage({ id: n, request: loadRequest(n) })),
      stop: async () => void (await worker.terminate()),
    };
  },
};
