/**
 * The process of a host with the overlay driver, to be killed by a test: `NETNS DATA PLUGINS POLICY STORE`. Orders on standard input, each
 * a line of JSON, and one reply each: `["network", NID, OPTIONS]`, `["box", NID, EID, NETNS, ADDRESS]` connects a namespace as an endpoint, with
 * an address in CIDR form or "", and replies with its interface, `["info", NID, EID]`, `["unbox", NID, EID]`, `["delete", NID]`, `["fence", HOST, BODY]`
 * and `["hosts"]`, as an operator asks.
 */
import { join } from "node:path";
import { createInterface } from "node:readline";
import { ControlClient } from "#dist/control/client.js";
import { createPluginHost, EndpointConfig, JoinConfig, type JsonObject } from "#dist/index.js";

const [netns = "", dataDir = "", plugins = "", policy = "", store = ""] = process.argv.slice(2);
const cluster = { store: "etcd", endpoints: [store] } as const;
const host = await createPluginHost({ plugins, policy, dataDir, backend: "kernel", netns, cluster });
const driver = host.driver("overlay");
const operator = new ControlClient((await host.control(join(dataDir, "control.sock"))).path);
console.log("ready");

const orders: Readonly<Record<string, (nid: string, more: unknown, box: string, address: string) => Promise<unknown>>> =
  {
    network: (nid, options) => driver.createNetwork(nid, options as JsonObject),
    async box(nid, eid, box, address) {
      const endpoint = new EndpointConfig(address === "" ? [] : [{ id: 0, mac: "02:00:00:00:00:07", ipv4: address }]);
      await driver.createEndpoint(nid, String(eid), endpoint);
      await driver.join(nid, String(eid), `/run/netns/${box}`, new JoinConfig(endpoint));
      await host.attach({ type: "overlay", nid, eid: String(eid) });
      return endpoint.toJSON()[0];
    },
    info: (nid, eid) => driver.endpointOperInfo(nid, String(eid)),
    async unbox(nid, eid) {
      await driver.leave(nid, String(eid));
      await driver.deleteEndpoint(nid, String(eid));
    },
    delete: (nid) => driver.deleteNetwork(nid),
    fence: (name, body) => operator.ask("fence", { id: name, body: body as object }),
    hosts: () => operator.ask("clusterHosts"),
  };

createInterface({ input: process.stdin }).on("line", (line) => {
  const [order = "", nid = "", more, box = "", address = ""] = JSON.parse(line) as [
    string,
    string,
    unknown,
    string,
    string,
  ];
  // What is logged on the same stream begins with a brace.
  const reply = (value: unknown): void => console.log(`= ${JSON.stringify(value ?? null)}`);
  void (async () => orders[order]?.(nid, more, box, address))().then(
    (value) => reply({ value: value ?? null }),
    (error: unknown) => reply({ error: String(error) }),
  );
});
