/** examples/serve: the policy and the config file that are shipped are for a stock engine with hundreds of containers. */
import { execFile } from "node:child_process";
import { cp, mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { readServeConfig, settle } from "#dist/cli/serve/settings.js";
import { createPluginHost } from "#dist/index.js";
import { inRanges } from "#dist/permissions/firewall/ports.js";
import { contains, networkOf } from "#dist/permissions/netlink/cidr.js";
import { parsePolicy } from "#dist/policy/parse-policy.js";
import { cli } from "../cli/cli.js";
import { codeBlock } from "../docs/blocks.js";
import { assert, suite, type TestContext } from "../harness.js";
import { noBubblewrap } from "../isolation/walled.js";
import { next, REPO, row } from "../kit/host.js";
import { SILENT } from "../kit/logger.js";
import { ENGINE_POOLS } from "./engine-pools.js";

const test = suite("examples/serve");
const FOLDER = join(REPO, "examples/serve");

/** What the shipped policy grants `bridge`, each limit by name. */
async function granted(): Promise<{
  readonly netlink: { readonly subnets: readonly string[]; readonly max: number };
  readonly firewall: { readonly ports: readonly string[]; readonly max: number };
  readonly store: { readonly bytes: number; readonly keys: number };
}> {
  const file = join(FOLDER, "bulkhead.config.json");
  const policy = parsePolicy(await readFile(file, "utf8"), file);
  return policy.plugins?.bridge?.grant as never;
}

for (const { base } of ENGINE_POOLS)
  test(`every subnet that an engine chooses from ${base} is granted`, async () => {
    const { netlink } = await granted();
    const pool = networkOf(base);
    assert.ok(netlink.subnets.some((subnet) => contains(networkOf(subnet), pool)));
  });

test("the ports that people publish are granted, and those of the machine's own services are not", async () => {
  const { firewall } = await granted();
  for (const port of [80, 443, 1024, 5432, 8080, 32768, 65535]) assert.ok(inRanges(firewall.ports, port), String(port));
  for (const port of [22, 25, 53, 631, 1023]) assert.not(inRanges(firewall.ports, port), String(port));
});

test("there is room for a thousand containers on a hundred networks, with three ports each of both families", async () => {
  const [containers, networks, ports, families] = [1000, 100, 3, 2];
  const { netlink, firewall, store } = await granted();
  // A bridge for each network, and a veth pair for each endpoint, counted as two.
  assert.ok(netlink.max >= networks + 2 * containers);
  // Masquerading by family and isolation for each network, and a rule for each port by family.
  assert.ok(firewall.max >= networks * (families + 1) + containers * ports * families);
  // More than each one's name: a key is the ids' 128 characters and a few more.
  assert.ok(store.keys >= 2 * (containers + networks));
  assert.ok(store.bytes >= 512 * 2 * (containers + networks));
});

test("the config file is one that serve takes, for the folders that the unit names", async () => {
  const settings = settle({}, await readServeConfig(join(FOLDER, "serve.json"), true));
  assert.is(settings.policy, "/etc/bulkhead/bulkhead.config.json");
  assert.match(await readFile(join(FOLDER, "bulkhead.service"), "utf8"), /serve --config \/etc\/bulkhead\/serve\.json/);
});

/** A machine as the page supposes it, in a folder: nothing of the real one's /etc, npm and systemd is touched. */
async function machine(t: TestContext): Promise<{
  readonly etc: string;
  /** The package as npm has installed it. */
  readonly installed: string;
  /** Types the commands of a block, without those of systemd. */
  type(holds: string): Promise<string>;
}> {
  const root = await t.folder();
  const [bin, packages] = [join(root, "bin"), join(root, "packages")];
  const installed = join(packages, "bulkhead");
  for (const path of [bin, installed, join(root, "etc/systemd/system")]) await mkdir(path, { recursive: true });
  for (const name of ["plugins", "examples"]) await cp(join(REPO, name), join(installed, name), { recursive: true });
  const scripts = {
    npm: `test "$*" = "root --global" && echo ${packages}`,
    bulkhead: `exec ${process.execPath} ${REPO}/dist/cli/main.js "$@"`,
  };
  for (const [name, text] of Object.entries(scripts))
    await writeFile(join(bin, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  const env = { ...process.env, PATH: `${bin}:${process.env.PATH}` };
  return {
    etc: join(root, "etc"),
    installed,
    async type(holds) {
      const lines = (await codeBlock("examples/serve/README.md", "sh", holds)).trim().split("\n");
      const own = lines.filter((line) => !line.startsWith("systemctl"));
      const text = own.join("\n").replaceAll("/etc/", `${root}/etc/`);
      return (await promisify(execFile)("bash", ["-ec", text], { env })).stdout;
    },
  };
}

test("the page's lines set up the folders, and the plugin would start", async (t) => {
  const { etc, type } = await machine(t);
  assert.match(await type("mkdir -p /etc/bulkhead"), /^bridge .* ready$/m);
  for (const file of ["bulkhead/serve.json", "systemd/system/bulkhead.service"])
    assert.ok((await stat(join(etc, file))).isFile());
});

test(
  "the page's lines update a plugin under a running host: the old version serves until the new one is granted",
  async (t) => {
    const { etc, installed, type } = await machine(t);
    await type("mkdir -p /etc/bulkhead");
    const [plugins, policy] = [join(etc, "bulkhead/plugins"), join(etc, "bulkhead/bulkhead.config.json")];
    const places = ["--plugins", plugins, "--policy", policy];
    assert.is((await cli(["grant", "bridge", ...places])).exit, 0);
    const host = await createPluginHost({ plugins, policy, watch: true, backend: "model", logger: SILENT });
    t.cleanup(() => host.close());
    const driver = host.driver("bridge");
    await driver.createNetwork("net1");

    const manifest = join(installed, "plugins/bridge/plugin.json");
    // Twice: what an earlier update has left is in the way of none.
    for (const version of ["9.9.8", "9.9.9"]) {
      const text = (await readFile(manifest, "utf8")).replace(/"version": "[^"]*"/, `"version": "${version}"`);
      await writeFile(manifest, text);
      const loaded = next(host, "plugin:loaded");
      const out = await type("mv plugins/.bridge plugins/bridge");
      assert.match(out, new RegExp(`^bridge +${version} .* awaiting-grant$`, "m"));
      assert.match(out, /^would grant bridge.*\n.*changes .*does not ask for more$/m);
      await loaded;
      assert.is(row(host, "bridge").version, version);
    }
    await driver.deleteNetwork("net1");
  },
  { ms: 90_000, needs: noBubblewrap },
);

test.run();
