/** Bulkhead itself, nothing switched off: existence, journal, deadlines, checks of every reply. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createPluginHost, EndpointConfig, type HostedDriver, type PluginHost } from "bulkhead";
import type { Peer } from "./closed-loop.js";
import { ANSWER, NETWORK, request } from "./workload.js";

const DRIVER = `
export async function init(callback) {
  await callback.registerDriver("load", {
    type: () => "load", config() {}, createNetwork() {}, deleteNetwork() {},
    createEndpoint(nid, eid, epInfo) { epInfo.addInterface(0, ${JSON.stringify(ANSWER.mac)}, ${JSON.stringify(ANSWER.ipv4)}, ""); },
    deleteEndpoint() {}, endpointOperInfo() { return {}; }, join() {}, leave() {},
  }, { scope: "local" });
}`;

export function ours(isolation: "thread" | "process" | "dedicated"): Peer {
  let folder: string;
  let host: PluginHost;
  let driver: HostedDriver;
  return {
    id: `bulkhead-${isolation}`,
    what: `bulkhead, isolation "${isolation}"`,
    async start() {
      folder = await mkdtemp(join(tmpdir(), "bulkhead-bench-"));
      await writeFile(join(folder, "load.js"), DRIVER);
      host = await createPluginHost({ plugins: folder, isolation, policy: { sandbox: "auto" } });
      driver = host.driver("load");
      await driver.createNetwork(NETWORK);
    },
    call(n) {
      const { nid, eid, options } = request(n);
      return driver.createEndpoint(nid, eid, new EndpointConfig(), options as never);
    },
    async stop() {
      await host.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
