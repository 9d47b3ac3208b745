/** The shipped bridge driver behind a gateway, on the model of the network, and the calls an engine makes for a container. */
import { join } from "node:path";
import { DockerGateway, type GatewayOptions } from "#dist/docker/gateway.js";
import { viewOf } from "#dist/host/plugin-host.js";
import type { TestContext } from "../harness.js";
import { type LogLine, recorder } from "../kit/logger.js";
import { bridgeHost } from "./bridge-host.js";
import { post, type Reply } from "./socket.js";

const PORT_MAP = "com.docker.network.portmap";

/** A sandbox that lives as long as this process. */
export const LIVING = "/proc/self/ns/net";

export interface Container {
  readonly network?: string;
  readonly endpoint: string;
  readonly address: string;
  readonly sandbox: string;
  /** The host's port for its port 80; absent: none. */
  readonly port?: number;
}

export interface Bridged {
  readonly log: readonly LogLine[];
  /** A sandbox's path where others are seen, and this one is not. */
  readonly gone: string;
  call(method: string, body?: unknown): Promise<Reply>;
  network(nid: string, subnet: string): Promise<void>;
  /** The calls of `docker run`, up to the first that is refused: its words, or undefined. */
  run(container: Container): Promise<string | undefined>;
  /** The ids of the endpoints there are. */
  endpoints(nid?: string): readonly string[];
  /** Ends gateway and host. */
  close(): Promise<void>;
}

/** `dataDir`: one that an earlier host has had, or another one; `also`: see `bridgeHost`. */
export async function bridged(
  t: TestContext,
  {
    dataDir,
    also,
    ...options
  }: Partial<GatewayOptions> & { readonly dataDir?: string; readonly also?: Readonly<Record<string, string>> } = {},
): Promise<Bridged> {
  const host = await bridgeHost(t, dataDir ?? join(await t.folder(), "data"), also);
  const [directory, sandboxes] = [await t.folder(), await t.folder()];
  const { logger, log } = recorder();
  const gateway = await DockerGateway.open({ host, logger, directory, ...options });
  t.cleanup(() => gateway.close());
  const call = (method: string, body?: unknown): Promise<Reply> =>
    post(join(directory, "bulkhead-bridge.sock"), `/NetworkDriver.${method}`, body);
  const refusal = async (method: string, body: unknown): Promise<string | undefined> => {
    const { body: reply } = await call(method, body);
    return reply.Err === undefined ? undefined : String(reply.Err);
  };
  return {
    log,
    gone: join(sandboxes, "gone"),
    call,
    async network(nid, subnet) {
      const gateway = subnet.replace(".0/", ".1/");
      const pool = { AddressSpace: "LocalDefault", Pool: subnet, Gateway: gateway, AuxAddresses: {} };
      const words = await refusal("CreateNetwork", { NetworkID: nid, Options: {}, IPv4Data: [pool], IPv6Data: [] });
      if (words !== undefined) throw new Error(words);
    },
    async run({ network = "n", endpoint, address, sandbox, port }) {
      const ids = { NetworkID: network, EndpointID: endpoint };
      const entry = { Proto: 6, IP: "", Port: 80, HostIP: "", HostPort: port, HostPortEnd: port };
      const Options = port === undefined ? {} : { [PORT_MAP]: [entry] };
      const Interface = { Address: `${address}/24`, AddressIPv6: "", MacAddress: "" };
      return (
        (await refusal("CreateEndpoint", { ...ids, Interface, Options })) ??
        (await refusal("Join", { ...ids, SandboxKey: sandbox, Options })) ??
        (await refusal("ProgramExternalConnectivity", { ...ids, Options }))
      );
    },
    endpoints: (nid = "n") => [...(viewOf(host, "bridge")?.network(nid)?.endpoints.keys() ?? [])],
    async close() {
      await gateway.close();
      await host.close();
    },
  };
}
