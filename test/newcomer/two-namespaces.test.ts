/**
 * An own driver with links, as `bulkhead new` writes it, in a platform of one's own: it connects two namespaces, is profiled, replaced by
 * its next version, and quarantined. The packets go on through all of it.
 */
import { execFileSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { assert, suite, until } from "../harness.js";
import { noBubblewrap } from "../isolation/walled.js";
import { namespace, noKernel } from "../sandbox/bench.js";
import { block, terminal } from "./terminal.js";

const test = suite("newcomer: an own driver connects two namespaces");

/** True where Node can profile a worker: from 24.8 on. */
const CAN = "startCpuProfile" in Worker.prototype;

/** What the platform does: two endpoints on one network, each attached to its namespace; `work` calls the driver without end. */
const platform = (netns: string, boxes: readonly string[]): string => `
import { createPluginHost, EndpointConfig, JoinConfig } from "bulkhead";
const host = await createPluginHost({
  plugins: "plugins", policy: "bulkhead.config.json", dataDir: "data", netns: ${JSON.stringify(netns)}, backend: "kernel", watch: true,
});
await host.control("data/control.sock");
const mine = host.driver("mine");
await mine.createNetwork("n", {});
for (const box of ${JSON.stringify(boxes)}) {
  const endpoint = new EndpointConfig();
  await mine.createEndpoint("n", box, endpoint);
  await mine.join("n", box, "/run/netns/" + box, new JoinConfig(endpoint));
  await host.attach({ type: "mine", nid: "n", eid: box });
  console.log(box, endpoint.interfaces()[0].address().split("/")[0]);
}
console.log("ready");
for (;;) {
  await mine.endpointOperInfo("n", ${JSON.stringify(boxes[0])}).catch(() => new Promise((resolve) => setTimeout(resolve, 100)));
  await new Promise(setImmediate);
}
`;

test(
  "it is profiled, hot-reloaded and quarantined while packets flow",
  async (t) => {
    const { folder, type, start } = await terminal(t);
    const [netns, one, two] = [1, 2, 3].map(() => namespace(t, "kernel")) as [string, string, string];
    await type(`npx bulkhead new plugins/mine --with netlink,store`);
    assert.match((await type("npx bulkhead check plugins/mine")).stdout, /registered {3}mine \(local\)/);
    await type((await block("grant")).replaceAll("greet", "mine"));
    // The page's words on an author's grant: the next version needs no other.
    const config = join(folder, "bulkhead.config.json");
    const policy = JSON.parse(await readFile(config, "utf8")) as { plugins: { mine: object } };
    policy.plugins.mine = { ...policy.plugins.mine, update: "same-grant" };
    await writeFile(config, JSON.stringify(policy));

    await writeFile(join(folder, "platform.mjs"), platform(netns, [one, two]));
    const ran = start("exec node platform.mjs");
    await until(() => /^ready$/m.test(ran.out()) || ran.child.exitCode !== null, "the platform", 60_000);
    const address = new RegExp(`^${two} (\\S+)$`, "m").exec(ran.out())?.[1];
    assert.ok(address, ran.out());
    const ping = (): string =>
      execFileSync("ip", ["netns", "exec", one, "busybox", "ping", "-c1", "-W5", address], { encoding: "utf8" });
    assert.match(ping(), " 0% packet loss");

    const profile = type(await block("profile").then((text) => text.replaceAll("greet", "mine")));
    if (CAN) {
      assert.match((await profile).stdout, /^mine(?:, 2 s: |: its worker did nothing in 2 s)/);
      assert.ok(JSON.parse(await readFile(join(folder, "mine.cpuprofile"), "utf8")));
    } else {
      const refused = await profile.then(
        () => "",
        ({ stderr }: { readonly stderr: string }) => stderr,
      );
      assert.match(refused, /^error ERR_PROFILE_UNAVAILABLE: Node \S+ cannot profile a worker/);
    }

    const source = join(folder, "plugins/mine/index.js");
    await writeFile(source, `${await readFile(source, "utf8")}\nconsole.log("the next version");\n`);
    const logs = (): Promise<string> => type("npx bulkhead logs mine").then(({ stdout }) => stdout);
    await until(async () => (await logs()).includes("[mine] the next version"), "the next version", 60_000);
    assert.match(ping(), " 0% packet loss");

    const quarantine = (await block("quarantine")).replaceAll("greet", "mine");
    assert.is((await type(quarantine)).stdout, "mine: quarantined\nmine: running\n");
    await type("npx bulkhead quarantine mine");
    assert.match(ping(), " 0% packet loss");
    assert.match((await type("npx bulkhead status mine")).stdout, /^● mine 0\.1\.0: quarantined since /);
  },
  { ms: 300_000, needs: noKernel || noBubblewrap },
);

test.run();
