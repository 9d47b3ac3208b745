/** A platform that a test kills: plugins "shared" and "alone", each in a host process; tells who they are, and stays. */
import { createPluginHost, EndpointConfig } from "#dist/index.js";
import { SILENT } from "../kit/logger.js";

const [, , plugins = ""] = process.argv;
const host = await createPluginHost({
  plugins,
  policy: { plugins: { alone: { isolation: "dedicated" } } },
  logger: SILENT,
});
for (const type of ["shared", "alone"]) {
  await host.driver(type).createNetwork("n");
  await host.driver(type).createEndpoint("n", "e", new EndpointConfig());
}
process.send?.({ pids: host.plugins().map(({ pid }) => pid) });
// In the middle of its work: calls are in flight whenever it is killed.
for (;;) await Promise.all(["shared", "alone"].map((type) => host.driver(type).endpointOperInfo("n", "e")));
