/** HTTP over a Unix socket to another process, connections kept: what an engine pays for a Docker plugin today. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadRequest } from "#dist/load/request.js";
import type { Peer } from "./peer.js";

const CHILD = fileURLToPath(new URL("./http-unix-child.js", import.meta.url));

export const httpUnix: Peer = {
  id: "http-unix",
  what: "HTTP over a Unix socket",
  async start() {
    const folder = await mkdtemp(join(tmpdir(), "bulkhead-load-"));
    const socketPath = join(folder, "s");
    const child = fork(CHILD, [socketPath], { execArgv: [] });
    await once(child, "message");
    const agent = new Agent({ keepAlive: true, maxSockets: 1024, maxFreeSockets: 1024 });
    return {
      call: (n) => post(agent, socketPath, JSON.stringify(loadRequest(n))),
      async stop() {
        agent.destroy();
        const ended = once(child, "exit");
        child.disconnect();
        await ended;
        await rm(folder, { recursive: true, force: true });
      },
    };
  },
};

function post(agent: Agent, socketPath: string, body: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
    const path = "/NetworkDriver.CreateEndpoint";
    const sent = request({ agent, socketPath, path, method: "POST", headers }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => {
        text += part;
      });
      response.on("end", () => resolve(JSON.parse(text)));
    });
    sent.once("error", reject);
    sent.end(body);
  });
}
