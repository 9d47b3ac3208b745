/** The shipped bridge driver on the model of the network, and CNI requests at the control socket of its host. */
import { join } from "node:path";
import { ControlClient } from "#dist/control/client.js";
import type { PluginHost } from "#dist/index.js";
import { bridgeHost } from "../docker/bridge-host.js";
import type { TestContext } from "../harness.js";
import { type Any, type List, type Run, Runtime } from "./runtime.js";

export interface Answered {
  readonly dataDir: string;
  readonly socket: string;
  readonly client: ControlClient;
  readonly runtime: Runtime;
  /** One request, as the executable sends it. */
  readonly run: Run;
  host(): PluginHost;
  /** Ends the host, and starts another over the same data folder. */
  again(): Promise<void>;
  attachments(): Promise<readonly Any[]>;
}

export const LIST: List = {
  cniVersion: "1.1.0",
  name: "web",
  plugins: [
    {
      type: "bulkhead-bridge",
      options: { mtu: 1400 },
      ipam: { ranges: [[{ subnet: "10.64.1.0/24", gateway: "10.64.1.1" }], [{ subnet: "fd64::/64" }]] },
      capabilities: { portMappings: true, ips: true, mac: true },
    },
  ],
};

export async function answered(t: TestContext): Promise<Answered> {
  const dataDir = join(await t.folder(), "data");
  const socket = join(dataDir, "control.sock");
  let host = await bridgeHost(t, dataDir);
  await host.control(socket);
  const client = new ControlClient(socket);
  const run: Run = async (_, env, input) => {
    const { exit, output } = await client.ask("cni", { body: { driver: "bridge", args: [], env, input } });
    return { code: exit, out: output };
  };
  return {
    ...{ dataDir, socket, client, run, runtime: new Runtime(run) },
    host: () => host,
    async again() {
      await host.close();
      host = await bridgeHost(t, dataDir);
      await host.control(socket);
    },
    attachments: async () => (await client.ask("attachments")).attachments,
  };
}
