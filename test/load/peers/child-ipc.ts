/** `child_process.fork` with advanced serialisation: what structured clone costs between processes. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { loadRequest } from "#dist/load/request.js";
import { type Peer, Waiting } from "./peer.js";

const CHILD = fileURLToPath(new URL("./child-ipc-child.js", import.meta.url));

export const childIpc: Peer = {
  id: "child-ipc",
  what: "child_process IPC, advanced serialisation",
  async start() {
    const child = fork(CHILD, { serialization: "advanced", execArgv: [] });
    const waiting = new Waiting();
    await once(child, "message");
    child.on("message", (message) => {
      const { id, answer } = message as { id: number; answer: unknown };
      waiting.answered(id, answer);
    });
    return {
      call: (n) => waiting.wait(n, () => child.send({ id: n, request: loadRequest(n) })),
      async stop() {
        const ended = once(child, "exit");
        child.disconnect();
        await ended;
      },
    };
  },
};
