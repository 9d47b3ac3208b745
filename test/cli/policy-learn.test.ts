/** `policy learn`: of a running plugin, and from a plugin's own tests; what is wrong with its use. */
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { EndpointConfig, type JsonObject } from "#dist/index.js";
import { assert, suite, type TestContext } from "../harness.js";
import { house, REPO } from "../kit/host.js";
import { plugin } from "../kit/plugins.js";
import { cli, type Ran } from "./cli.js";

const test = suite("cli: policy learn");

/** A bridge per network; nothing asks for the firewall. */
const LINKS = plugin("links", {
  start: "const { netlink, store } = powers;",
  methods: `async createNetwork(id, { n }) {
      await netlink.createLink({ kind: "bridge", name: "ln-" + n });
      await netlink.addAddress("ln-" + n, "10.9." + n + ".1/24");
      await store.set(id, n);
    },
    async deleteNetwork(id) { await netlink.deleteLink("ln-" + (await store.get(id))); await store.delete(id); },`,
});
const MANIFEST = JSON.stringify({
  permissions: { netlink: { kinds: ["bridge", "veth"] }, store: true },
  optionalPermissions: { firewall: true },
});
const GRANT = {
  netlink: { prefix: "ln", subnets: ["10.0.0.0/8"] },
  firewall: { ports: ["1-1024"] },
  store: { bytes: 1000, keys: 10 },
};
/** One network. */
const LEARNED = {
  store: { bytes: 2, keys: 1 },
  netlink: { kinds: ["bridge"], prefix: "ln", max: 1, subnets: ["10.9.7.0/24"] },
};

async function place(t: TestContext) {
  const home = await house(t, { "links.js": LINKS, "links.plugin.json": MANIFEST });
  const file = home.path("bulkhead.config.json");
  await writeFile(file, JSON.stringify({ plugins: { links: { grant: GRANT } } }));
  const learn = (...args: string[]): Promise<Ran> =>
    cli(["policy", "learn", ...args, "--policy", file, "--data-dir", home.path("data"), "--plugins", home.plugins]);
  return { home, file, learn };
}

const sorted = (all: unknown): readonly string[] =>
  (all as readonly { text: string }[]).map((one) => JSON.stringify(one)).sort();

test("of a running plugin: the fragment, and the difference from its present grant", async (t) => {
  const { home, file, learn } = await place(t);
  const host = await home.open({ dataDir: home.path("data"), policy: file, backend: "model" });
  await host.control(home.path("data/control.sock"));
  await host.driver("links").createNetwork("n", { n: 7 });
  const json = await learn("links", "--seconds", "0", "--json");
  assert.equal([json.exit, json.err], [0, ""]);
  const { grant, unused, kept, differences } = json.json() as unknown as Record<string, JsonObject>;
  assert.equal([grant, unused, kept], [LEARNED, ["firewall"], []]);
  assert.equal(
    sorted(differences),
    sorted([
      { text: "store.bytes 1000 → 2", way: "less" },
      { text: "store.keys 10 → 1", way: "less" },
      { text: 'netlink.kinds -"veth"', way: "less" },
      { text: "netlink.max 256 → 1", way: "less" },
      { text: 'netlink.subnets +"10.9.7.0/24" -"10.0.0.0/8"', way: "less" },
      { text: "-firewall", way: "gone" },
    ]),
  );
  const { out } = await learn("links", "--seconds", "0");
  assert.match(out, '\n  "plugins": {\n    "links": {\n      "grant": {\n');
  assert.match(out, /\n {2}allowed less {3}netlink\.max 256 → 1\n/);
  assert.match(out, /\n {2}no longer {6}-firewall\nnot used, and left out: firewall\n$/);
  // What is proposed is a policy under which the same works.
  await writeFile(file, JSON.stringify({ plugins: { links: { grant } } }));
  const again = await home.open({ policy: file, backend: "model" });
  await again.driver("links").createNetwork("n", { n: 7 });
  const endpoint = new EndpointConfig();
  await again.driver("links").createEndpoint("n", "e", endpoint);
});

test("from its own tests, without a host", async (t) => {
  const { home, learn } = await place(t);
  const folder = home.path("tests");
  await mkdir(join(folder, "node_modules"), { recursive: true });
  await symlink(REPO, join(folder, "node_modules/bulkhead"));
  const body = (rest: string) => `import { test } from "node:test";
import { createTestHost } from "bulkhead/testing";
test("a network", async () => {
  const host = await createTestHost({ plugin: ${JSON.stringify(join(home.plugins, "links.js"))},
    permissions: { netlink: { prefix: "ln", subnets: ["10.0.0.0/8"] } } });
  await host.driver().createNetwork("n", { n: 7 });
  await host.driver().deleteNetwork("n");
  await host.close();
  ${rest}
}, { ms: 60_000 });
`;
  await writeFile(join(folder, "links.test.mjs"), body(""));
  const ran = await learn("links", "--tests", folder, "--json");
  assert.is(ran.exit, 0, ran.out);
  assert.equal((ran.json() as unknown as { grant: unknown }).grant, LEARNED);
  await writeFile(join(folder, "links.test.mjs"), body('throw new Error("broken");'));
  const failed = await learn("links", "--tests", join(folder, "links.test.mjs"));
  assert.is(failed.exit, 2);
  assert.match(failed.err, /^error ERR_USAGE: the tests in .* failed; run them with node --test/);
});

test("wrong use", async (t) => {
  const { learn, file } = await place(t);
  assert.match((await learn()).err, "takes a plugin's id");
  assert.match((await learn("links", "--seconds", "x")).err, "--seconds is a number from 0 to 3600");
  assert.match((await learn("links", "--seconds", "1", "--tests", ".")).err, "--seconds is for a running plugin");
  assert.match((await learn("links", "--tests", "/nowhere")).err, "no such file or folder");
  assert.match((await learn("other", "--tests", ".")).err, "ERR_PLUGIN_NOT_FOUND");
  assert.is((await learn("links")).exit, 3);
  assert.match((await cli(["policy", "check", file, "--seconds", "1"])).err, "are for bulkhead policy learn");
});

test.run();
