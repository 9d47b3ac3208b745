/** A host with a data folder ends, and the next one over it finds the bridge's rules as they were; deleted, none is left. */
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { createPluginHost, EndpointConfig, type PluginHost } from "#dist/index.js";
import { assert, suite, type TestContext } from "../harness.js";
import { REPO } from "../host/platform/house.js";
import { ruleset } from "../permissions/firewall/backends.js";
import { noKernel } from "../permissions/netlink/backends.js";

const test = suite("plugins/bridge with a firewall, restarted");

async function open(t: TestContext, folder: string, netns: string): Promise<PluginHost> {
  const host = await createPluginHost({
    plugins: join(folder, "plugins"),
    dataDir: join(folder, "data"),
    netns,
    backend: "kernel",
    policy: {
      plugins: {
        bridge: {
          grant: {
            netlink: { kinds: ["bridge", "veth"], prefix: "bh", subnets: ["10.64.0.0/10"] },
            firewall: { ports: ["8000-8010"] },
            store: true,
          },
        },
      },
    },
  });
  t.cleanup(() => host.close());
  return host;
}

test(
  "the table stands while no host runs, is programmed anew where it was lost, and keeps the port that was chosen",
  async (t) => {
    const netns = `bht-${randomBytes(4).toString("hex")}`;
    execFileSync("ip", ["netns", "add", netns]);
    t.cleanup(() => execFileSync("ip", ["netns", "delete", netns]));
    const folder = await t.folder();
    await cp(join(REPO, "plugins/bridge"), join(folder, "plugins/bridge"), { recursive: true });

    const first = await open(t, folder, netns);
    const options = { "com.docker.network.generic": { subnet: "10.64.1.0/24" } };
    await first.driver("bridge").createNetwork("n", options);
    const published = { "com.docker.network.portmap": [{ Proto: 6, Port: 80, HostPort: 0 }] };
    await first.driver("bridge").createEndpoint("n", "e", new EndpointConfig(), published);
    const before = ruleset(netns);
    assert.match(before, /dnat ip to 10\.64\.1\.2:80/);
    await first.close();
    assert.is(ruleset(netns), before, "it stands while no host runs");

    execFileSync("nsenter", [`--net=/run/netns/${netns}`, "nft", "flush", "ruleset"]);
    const second = await open(t, folder, netns);
    assert.is(ruleset(netns), before, "what was lost is made anew");
    await second.driver("bridge").deleteEndpoint("n", "e");
    assert.not.match(ruleset(netns), /dnat ip to/);
    await second.driver("bridge").deleteNetwork("n");
    assert.is(ruleset(netns), "", "no table is left");
  },
  { ms: 60_000, needs: noKernel },
);

test.run();
