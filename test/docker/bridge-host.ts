/** A host of the shipped bridge driver on the model of the network, over a data folder that a later one can have. */
import "../kit/bundles.js";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startHost } from "#dist/host/plugin-host.js";
import type { PluginHost } from "#dist/index.js";
import { ThreadLauncher } from "#dist/isolation/thread-launcher.js";
import { BOOT_KEY } from "#dist/storage/open-log.js";
import { statePaths } from "#dist/storage/paths.js";
import { StateFile } from "#dist/storage/state-file.js";
import { copyForTest } from "#dist/testing/plugin-copy.js";
import type { TestContext } from "../harness.js";
import { REPO } from "../kit/host.js";
import { SILENT } from "../kit/logger.js";

const POLICY = {
  plugins: {
    bridge: {
      grant: {
        netlink: { kinds: ["bridge", "veth"], prefix: "bh", subnets: ["10.64.0.0/10", "fd64::/32"], max: 4096 },
        firewall: { ports: ["8000-8999"] },
        traffic: true,
        store: true,
      },
    },
    other: {
      grant: {
        netlink: { kinds: ["bridge"], prefix: "ot", subnets: ["10.64.0.0/10"] },
        firewall: { ports: ["8000-8999"] },
      },
    },
  },
} as const;

/**
 * Ports 8000 to 8999 are granted. Closed after the test. `also`: the text of further plugins, by name; "other" is granted links and ports.
 */
export async function bridgeHost(
  t: TestContext,
  dataDir: string,
  also: Readonly<Record<string, string>> = {},
): Promise<PluginHost> {
  const copy = await copyForTest(join(REPO, "plugins/bridge"), undefined);
  t.cleanup(() => copy.remove());
  for (const [name, text] of Object.entries(also)) {
    const manifest = { name, version: "1.0.0", apiVersion: 1, main: "index.js", networkTypes: [name] };
    const permissions = { netlink: { kinds: ["bridge"] }, firewall: true };
    await mkdir(join(copy.folder, name));
    await writeFile(join(copy.folder, name, "plugin.json"), JSON.stringify({ ...manifest, permissions }));
    await writeFile(join(copy.folder, name, "index.js"), text);
  }
  const options = { plugins: copy.folder, policy: POLICY, backend: "model", dataDir, logger: SILENT } as const;
  const host = await startHost(options, { threads: new ThreadLauncher({ spares: 0 }) });
  t.cleanup(() => host.close());
  return host;
}

/** Makes the data folder, which no host uses, one of an earlier run of the machine. */
export async function reboot(dataDir: string): Promise<void> {
  const file = await StateFile.open(statePaths(dataDir), "");
  await file.put("meta", BOOT_KEY, JSON.stringify("another run of the machine"));
  await file.close();
}
