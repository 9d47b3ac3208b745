/** A plugin host in ten lines: `node examples/embed/embed.mjs`. The plugins are those of examples/hello. */
import { fileURLToPath } from "node:url";
import { createPluginHost, EndpointConfig, JoinConfig } from "bulkhead";

const host = await createPluginHost({ plugins: fileURLToPath(new URL("../hello", import.meta.url)) });
const driver = host.driver("hello");
await driver.createNetwork("net1", { "com.docker.network.generic": { subnet: "10.1.0.0/24" } });
const endpoint = new EndpointConfig();
await driver.createEndpoint("net1", "ep1", endpoint);
const join = new JoinConfig(endpoint);
await driver.join("net1", "ep1", "/var/run/netns/box1", join);
console.log(`${endpoint.interfaces()[0].address()} via ${join.gateway()}`);
await host.close();
