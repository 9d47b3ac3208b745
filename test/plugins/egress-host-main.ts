/**
 * The process of a host with the egress driver, to be killed by a test: `NETNS DATA PLUGINS POLICY OPTIONS`. Orders on standard input,
 * one reply each: `join BOX` creates the network "n" and connects a namespace as endpoint "e"; `info` is what the driver says of it;
 * `pids` are the processes of the plugin and of the resolver; `reload` loads the plugin again; `delete` deletes endpoint and network.
 */
import { createInterface } from "node:readline";
import { resolverOf } from "#dist/host/plugin-host.js";
import { createPluginHost, EndpointConfig, JoinConfig } from "#dist/index.js";
import type { KernelResolver } from "#dist/permissions/resolver/kernel/kernel-resolver.js";

const [netns = "", dataDir = "", plugins = "", policy = "", options = "{}"] = process.argv.slice(2);
const host = await createPluginHost({ plugins, policy, dataDir, backend: "kernel", netns });
const driver = host.driver("egress");
console.log("ready");

/** By order; what is returned is the reply. */
const orders: Readonly<Record<string, (word: string) => Promise<string | undefined>>> = {
  async join(box) {
    await driver.createNetwork("n", JSON.parse(options));
    await driver.createEndpoint("n", "e", new EndpointConfig());
    await driver.join("n", "e", `/run/netns/${box}`, new JoinConfig());
    await host.attach({ type: "egress", nid: "n", eid: "e" });
    return undefined;
  },
  // Not JSON by itself: what is logged on the same stream begins with a brace.
  info: async () => `info ${JSON.stringify(await driver.endpointOperInfo("n", "e"))}`,
  pids: async () => `${host.plugins()[0]?.pid} ${(resolverOf(host)?.backend as KernelResolver | undefined)?.pid}`,
  async reload() {
    await host.reload("egress");
    return undefined;
  },
  async delete() {
    await driver.leave("n", "e");
    await driver.deleteEndpoint("n", "e");
    await driver.deleteNetwork("n");
    await host.close();
    return undefined;
  },
};

createInterface({ input: process.stdin }).on("line", (line) => {
  const [order = "", word = ""] = line.split(" ");
  void (async () => console.log((await orders[order]?.(word)) ?? "done"))().catch((error: unknown) => {
    console.log(String(error));
  });
});
