/** examples/serve: the policy and the config file that are shipped are for a stock engine with hundreds of containers. */
import { execFile } from "node:child_process";
import { mkdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { readServeConfig, settle } from "#dist/cli/serve/settings.js";
import { inRanges } from "#dist/permissions/firewall/ports.js";
import { contains, networkOf } from "#dist/permissions/netlink/cidr.js";
import { parsePolicy } from "#dist/policy/parse-policy.js";
import { codeBlock } from "../docs/blocks.js";
import { assert, suite } from "../harness.js";
import { REPO } from "../kit/host.js";
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

test("the page's lines set up the folders, and the plugin would start", async (t) => {
  const root = await t.folder();
  const lines = (await codeBlock("examples/serve/README.md", "sh", "mkdir -p /etc/bulkhead")).trim().split("\n");
  // Without the machine's own folders and systemd: what is left is what the lines do with files.
  const own = lines
    .filter((line) => !line.startsWith("systemctl"))
    .map((line) => line.replaceAll("/etc/", `${root}/etc/`));
  assert.is(own.length, lines.length - 1);
  const bin = join(root, "bin");
  const packages = join(root, "packages");
  for (const path of [bin, packages, join(root, "etc/systemd/system")]) await mkdir(path, { recursive: true });
  await symlink(REPO, join(packages, "bulkhead"));
  const scripts = {
    npm: `test "$*" = "root --global" && echo ${packages}`,
    bulkhead: `exec ${process.execPath} ${REPO}/dist/cli/main.js "$@"`,
  };
  for (const [name, text] of Object.entries(scripts))
    await writeFile(join(bin, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  const env = { ...process.env, PATH: `${bin}:${process.env.PATH}` };
  const { stdout } = await promisify(execFile)("bash", ["-ec", own.join("\n")], { env });
  assert.match(stdout, /^bridge .* ready$/m);
  for (const file of ["bulkhead/serve.json", "systemd/system/bulkhead.service"])
    assert.ok((await stat(join(root, "etc", file))).isFile());
});

test.run();
