/** `netlink` through a whole host: policy, worker, hub, namespace. */
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { netlinkOf } from "#dist/host/plugin-host.js";
import { EndpointConfig, JoinConfig, type PluginHost } from "#dist/index.js";
import { assert, rejection, suite, type TestContext } from "../../harness.js";
import { type House, house } from "../../kit/host.js";
import { plugin } from "../../kit/plugins.js";
import { noKernel, onBoth } from "./backends.js";

const test = suite("permissions/netlink/host");

const GRANT = { kinds: ["bridge", "veth"], prefix: "bh", subnets: ["10.64.0.0/10"] } as const;

/** A driver that makes a bridge per network and a veth per endpoint, by the network's number. */
const WIRES = plugin("wires", {
  methods: `
    createNetwork: async (nid) => { await powers.netlink.createLink({ kind: "bridge", name: "bh-b" + nid }); },
    deleteNetwork: async (nid) => { await powers.netlink.deleteLink("bh-b" + nid); },
    createEndpoint: async (nid, eid) => { await powers.netlink.createLink({ kind: "veth", name: "bh-v" + eid, peer: "bh-w" + eid }); },
    deleteEndpoint: async (nid, eid) => { await powers.netlink.deleteLink("bh-v" + eid); },
    endpointOperInfo: async () => ({ links: (await powers.netlink.links()).map(({ name }) => name) }),
    join: async (nid, eid, sbox, jinfo, options) => { for (const one of jinfo.interfaceNames()) one.setNames(options.src ?? "bh-w" + eid, "eth"); },`,
});

async function open(
  t: TestContext,
  kind: "kernel" | "model",
  grant: object = GRANT,
  source = WIRES,
): Promise<{ host: PluginHost; links(): Promise<string[]>; one: House }> {
  const netns = `bht-${randomBytes(4).toString("hex")}`;
  if (kind === "kernel") {
    execFileSync("ip", ["netns", "add", netns]);
    t.cleanup(() => execFileSync("ip", ["netns", "delete", netns]));
  }
  const one = await house(t, { "wires.js": source });
  const policy = { plugins: { wires: { grant: { netlink: grant, timers: true } } } };
  const host = await one.open({ policy: policy as never, netns, backend: kind });
  const links = async (): Promise<string[]> =>
    [...((await netlinkOf(host)?.backend.readSnapshot())?.links ?? [])].filter((name) => name !== "lo").sort();
  return { host, links, one };
}

const pair = (): EndpointConfig => new EndpointConfig([{ id: 0, ipv4: "10.64.0.2/24" }]);

onBoth(
  test,
  "a driver makes its links in the namespace named; a join names its own; close() removes them",
  async (t, kind) => {
    const { host, links } = await open(t, kind);
    assert.is(netlinkOf(host)?.kind, kind);
    const wires = host.driver("wires");
    await wires.createNetwork("1");
    await wires.createEndpoint("1", "7", pair());
    assert.equal(await links(), ["bh-b1", "bh-v7", "bh-w7"]);
    assert.equal(await wires.endpointOperInfo("1", "7"), { links: ["bh-b1", "bh-v7", "bh-w7"] });
    await wires.join("1", "7", "/sandbox", new JoinConfig([0]));
    const refused = await wires.createNetwork("-").catch((error: Error & { code: string }) => error);
    assert.is((refused as { code?: string }).code, "ERR_NETLINK_REFUSED", String(refused));
    await host.close();
    assert.equal(await links(), []);
  },
);

onBoth(test, "a join that names a link of the machine is refused", async (t, kind) => {
  const { host } = await open(t, kind);
  await netlinkOf(host)?.backend.apply([[{ change: { op: "add", link: { kind: "bridge", name: "br0" } } }]]);
  const wires = host.driver("wires");
  await wires.createNetwork("1");
  await wires.createEndpoint("1", "7", pair());
  const error = await rejection(wires.join("1", "7", "/sandbox", new JoinConfig([0]), { src: "br0" }));
  assert.is(error.code, "ERR_DRIVER_REPLY");
  assert.match(error.message, '"br0" is a link of the host');
});

onBoth(test, "unload removes a plugin's links, and so does a load that is refused", async (t, kind) => {
  const { host, links, one } = await open(t, kind);
  const stray = plugin("wires", { start: `await powers.netlink.createLink({ kind: "bridge", name: "bh-init" });` });
  await one.put({ "wires.js": stray });
  await host.reload("wires");
  assert.equal(await links(), ["bh-init"]);
  await host.unload("wires");
  assert.equal(await links(), []);
  await one.put({
    "wires.js": plugin("wires", {
      start: `await powers.netlink.createLink({ kind: "bridge", name: "bh-init" }); throw new Error("no");`,
    }),
  });
  assert.is((await rejection(host.reload("wires"))).code, "ERR_PLUGIN_INIT");
  assert.equal(await links(), []);
});

test("without what must be named it waits for its grant, and says what is missing where", async (t) => {
  const { host } = await open(t, "model", { kinds: ["bridge"], prefix: "bh" });
  const [info] = host.plugins();
  assert.is(info?.state, "awaiting-grant");
  assert.match(info?.refusal?.message ?? "", "plugins.wires.grant.netlink.subnets");
});

test("what is not granted is not there", async (t) => {
  const one = await house(t, {
    "bare.js": plugin("bare", { methods: "endpointOperInfo: async () => ({ told: typeof powers.netlink })," }),
  });
  const host = await one.open();
  const bare = host.driver("bare");
  await bare.createNetwork("n");
  await bare.createEndpoint("n", "e", new EndpointConfig());
  assert.equal(await bare.endpointOperInfo("n", "e"), { told: "undefined" });
});

test(
  "no namespace named: the kernel's is the process's own",
  (t) => {
    const own = `bht-${randomBytes(4).toString("hex")}`;
    execFileSync("ip", ["netns", "add", own]);
    t.cleanup(() => execFileSync("ip", ["netns", "delete", own]));
    const choose = JSON.stringify(import.meta.resolve("#dist/permissions/netlink/choose.js"));
    const script = `
      const { openBackend } = await import(${choose});
      const backend = openBackend({ backend: "kernel" });
      await backend.apply([[{ change: { op: "add", link: { kind: "bridge", name: "bh-own" } } }]]);`;
    execFileSync("ip", ["netns", "exec", own, process.execPath, "--input-type=module", "-e", script]);
    assert.match(execFileSync("ip", ["-n", own, "link"], { encoding: "utf8" }), "bh-own");
  },
  { needs: noKernel },
);

test('without the right to it: "kernel" is a wrong option that says why, "auto" and no word are the model', async (t) => {
  const { plugins } = await house(t);
  const script = `
    const { createPluginHost } = await import(${JSON.stringify(import.meta.resolve("#dist/index.js"))});
    const { netlinkOf } = await import(${JSON.stringify(import.meta.resolve("#dist/host/plugin-host.js"))});
    const said = [];
    for (const backend of ["kernel", "auto", undefined]) {
      try {
        const host = await createPluginHost({ plugins: ${JSON.stringify(plugins)}, isolation: "thread", ...(backend && { backend }) });
        said.push(netlinkOf(host).kind);
        await host.close();
      } catch ({ code, message }) { said.push(code + ": " + message); }
    }
    console.log(JSON.stringify(said));`;
  const node = [process.execPath, "--input-type=module", "-e", script];
  const [program = "", ...args] = process.getuid?.() === 0 ? ["setpriv", "--bounding-set=-net_admin", ...node] : node;
  const [kernel, ...others] = JSON.parse(execFileSync(program, args, { encoding: "utf8" })) as string[];
  assert.match(kernel ?? "", /^ERR_OPTIONS: option "backend": "kernel" cannot be had here: .+; use "model" or "auto"$/);
  assert.equal(others, ["model", "model"]);
});

test(
  "a namespace that does not exist, and invalid names, are wrong options",
  async (t) => {
    const one = await house(t);
    for (const netns of ["bht-none", "/proc/nothing/ns/net", "../x", "a b", "-n", "relative/path"]) {
      const error = await rejection(one.open({ backend: "kernel", netns }));
      assert.is(error.code, "ERR_OPTIONS", netns);
      assert.match(error.message, "netns");
    }
    const byPath = `bht-${randomBytes(4).toString("hex")}`;
    execFileSync("ip", ["netns", "add", byPath]);
    t.cleanup(() => execFileSync("ip", ["netns", "delete", byPath]));
    const host = await one.open({ netns: `/run/netns/${byPath}` });
    const hub = netlinkOf(host);
    assert.is(hub?.kind, "kernel", "auto takes the kernel where it can be had");
    await hub?.backend.apply([[{ change: { op: "add", link: { kind: "bridge", name: "bh-a" } } }]]);
    assert.match(execFileSync("ip", ["-n", byPath, "link"], { encoding: "utf8" }), "bh-a");
  },
  { needs: noKernel },
);

test.run();
