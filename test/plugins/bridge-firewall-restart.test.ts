/** A host with a data folder ends, and the next one over it finds the bridge's rules as they were; deleted, none is left. */
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { createPluginHost, EndpointConfig, type PluginHost } from "#dist/index.js";
import { assert, suite, type TestContext, until } from "../harness.js";
import { REPO } from "../kit/host.js";
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

/** A network namespace, and a folder with the bridge plugin. */
async function place(t: TestContext): Promise<{ readonly netns: string; readonly folder: string }> {
  const netns = `bht-${randomBytes(4).toString("hex")}`;
  execFileSync("ip", ["netns", "add", netns]);
  t.cleanup(() => execFileSync("ip", ["netns", "delete", netns]));
  const folder = await t.folder();
  await cp(join(REPO, "plugins/bridge"), join(folder, "plugins/bridge"), { recursive: true });
  return { netns, folder };
}

test(
  "the table stays while no host runs, is programmed again where it was lost, and keeps the port that was chosen",
  async (t) => {
    const { netns, folder } = await place(t);

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
    // The guard of forwarding is its own record: what flushes it while no host runs makes the machine a router by its own word.
    const guard = /table inet bulkhead-forward_\S+ \{\n[\s\S]*?^\}\n/m;
    assert.is(ruleset(netns), before.replace(guard, ""), "what was lost is recreated");
    await second.driver("bridge").deleteEndpoint("n", "e");
    assert.not.match(ruleset(netns), /dnat ip to/);
    await second.driver("bridge").deleteNetwork("n");
    assert.is(ruleset(netns), "", "no table is left");
  },
  { ms: 60_000, needs: noKernel },
);

test(
  "a bridge that somebody deletes is made again, with its rules; the log says it",
  async (t) => {
    const { netns, folder } = await place(t);
    const host = await open(t, folder, netns);
    const options = { "com.docker.network.generic": { subnet: "10.64.1.0/24" } };
    await host.driver("bridge").createNetwork("n", options);
    const bridges = (): readonly string[] =>
      [
        ...execFileSync("ip", ["-n", netns, "-o", "addr", "show", "to", "10.64.1.0/24"], { encoding: "utf8" }).matchAll(
          /^\d+: (\S+)/gm,
        ),
      ].map(([, name = ""]) => name);
    const [bridge = ""] = bridges();
    const rules = (): number => (ruleset(netns).match(/masquerade/g) ?? []).length;
    const before = rules();
    execFileSync("ip", ["-n", netns, "link", "delete", bridge]);
    await until(() => bridges()[0] === bridge, "the bridge is back", 40_000);
    await until(() => rules() === before, "its rules are there", 40_000);
    await until(() => readFileSync(join(folder, "data/audit.jsonl"), "utf8").includes('"link-lost"'), "it is audited");
    await host.driver("bridge").deleteNetwork("n");
    assert.is(ruleset(netns), "");
  },
  { ms: 120_000, needs: noKernel },
);

test.run();
