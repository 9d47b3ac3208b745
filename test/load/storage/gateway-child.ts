/**
 * A platform in a process of its own: a host with its journal on disk, and Docker's gateway. Arguments: the folder of a build (its
 * dist is used, so that builds of two commits can be held against each other), a folder on the disk, "disk" or "memory".
 * Tells its socket; then, for each message it gets, the microseconds of processor that it has used.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { LOAD_NETWORK } from "#dist/load/request.js";
import { SILENT } from "../../kit/logger.js";
import { TAKES_GIVEN } from "../plugins.js";
import { partsOf } from "./build.js";

const [, , build = "", root = "", journal = "disk"] = process.argv;
const { createPluginHost, DockerGateway } = await partsOf(build);
const plugins = join(root, "plugins");
const sockets = join(root, "s");
await mkdir(plugins);
await writeFile(join(plugins, "load.js"), TAKES_GIVEN);
const data = journal === "disk" ? { dataDir: join(root, "data") } : {};
const host = await createPluginHost({
  plugins,
  isolation: "process",
  logger: SILENT,
  policy: { sandbox: "auto" },
  ...data,
});
const gateway = await DockerGateway.open({ host, logger: SILENT, directory: sockets });
await host.driver("load").createNetwork(LOAD_NETWORK);
process.on("message", () => {
  const { user, system } = process.cpuUsage();
  process.send?.({ us: user + system });
});
process.once("disconnect", async () => {
  await gateway.close();
  await host.close();
});
process.send?.({ socket: gateway.sockets.get("load") });
