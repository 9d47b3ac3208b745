/** `piscina.run` as it comes, one thread. */
import { fileURLToPath } from "node:url";
import { Piscina } from "piscina";
import { loadRequest } from "#dist/load/request.js";
import type { Peer } from "./peer.js";

const TASK = fileURLToPath(new URL("./piscina-task.js", import.meta.url));

export const barePiscina: Peer = {
  id: "piscina",
  what: "bare piscina.run",
  async start() {
    const pool = new Piscina({ filename: TASK, minThreads: 1, maxThreads: 1, concurrentTasksPerWorker: 256 });
    await pool.run(loadRequest(0));
    return { call: (n) => pool.run(loadRequest(n)), stop: () => pool.destroy() };
  },
};
