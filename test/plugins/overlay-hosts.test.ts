/** Three hosts on one etcd: their containers reach each other, hosts join and leave, and each goes on alone. */
import type { Json } from "#dist/index.js";
import { assert, rejection, suite, type TestContext, until } from "../harness.js";
import { noEtcd } from "../permissions/cluster/etcd.js";
import { callFrom } from "../permissions/firewall/server.js";
import { noKernel } from "../permissions/netlink/backends.js";
import { type Box, type OverlayHost, overlayHouse } from "./overlay-house.js";
import { generic } from "./shipped.js";

const test = suite("plugins/overlay: hosts");
const needs = noKernel ?? noEtcd;
const ms = 180_000;
/** How long a test waits for what must not come, in milliseconds. */
const IN_VAIN = 700;

const BLUE = { network: "blue", subnet: "10.64.0.0/16", subnet6: "fd64:0:1::/48" };
const ONLY_NAME = { network: "blue" };

/** Asserts that each reaches the others, in both families, with its own address. */
async function reach(boxes: Readonly<Record<string, Box>>): Promise<void> {
  for (const [from, a] of Object.entries(boxes))
    for (const [to, b] of Object.entries(boxes)) {
      if (from === to) continue;
      assert.is(await callFrom(a.netns, "tcp", b.ipv4, 80), `${to} ::ffff:${a.ipv4}`, `${from} to ${to}`);
      assert.is(await callFrom(a.netns, "tcp", b.ipv6, 80), `${to} ${a.ipv6}`, `${from} to ${to}, IPv6`);
    }
}

/** The hosts to which a host's vxlan of a network leads. */
async function leads({ run, ask }: OverlayHost, eid: string): Promise<readonly string[]> {
  const { tunnel } = (await ask("info", "n", eid)) as { tunnel: string };
  const lines = run("bridge", "fdb", "show", "dev", tunnel).trim().split("\n");
  return lines.map((line) => / dst (\S+)/.exec(line)?.[1] ?? "").sort();
}

async function follows(host: OverlayHost, eid: string, hosts: readonly string[]): Promise<void> {
  await until(async () => (await leads(host, eid)).join() === hosts.join(), `${host.name} to lead to ${hosts}`, 20_000);
}

/** Hosts h1 and h2 with the network blue, and a container on each. */
async function two(t: TestContext, family: 4 | 6 = 4) {
  const house = await overlayHouse(t, family);
  const [h1, h2] = [await house.host(1), await house.host(2)];
  await h1.ask("network", "n", generic(BLUE));
  await h2.ask("network", "n", generic(ONLY_NAME));
  const [a, b] = [await h1.box("n", "a"), await h2.box("n", "b")];
  const at = family === 4 ? "198.51.100." : "fd99::";
  await follows(h1, "a", [`${at}2`]);
  return { ...house, h1, h2, a, b };
}

for (const [family, mtu] of [
  [4, 1450],
  [6, 1430],
] as const)
  test(
    `over IPv${family}: a second host needs the name alone, and no neighbour is asked for`,
    async (t) => {
      const { h1, h2, a, b } = await two(t, family);
      assert.equal([a.ipv4, b.ipv4], ["10.64.0.2", "10.64.1.2"]);
      assert.equal([a.ipv6, b.ipv6], ["fd64:0:1::2", "fd64:0:1:1::2"]);
      await reach({ a, b });
      const { tunnel, mtu: told } = (await h1.ask("info", "n", "a")) as { tunnel: string; mtu: number };
      assert.is(told, mtu);
      assert.match(h1.run("ip", "link", "show", tunnel), `mtu ${mtu} `);
      for (const line of h1.run("ip", "neigh", "show", "dev", tunnel).trim().split("\n"))
        assert.match(line, "PERMANENT");
      // What leaves a container of the largest size arrives.
      h1.run("nsenter", `--net=/run/netns/${a.netns}`, "busybox", "ping", "-c1", "-W2", `-s${mtu - 28}`, b.ipv4);

      // Both are the first host, until one of them is.
      const green = generic({ network: "green", subnet: "10.65.0.0/16" });
      await Promise.all([h1.ask("network", "m", green), h2.ask("network", "m", green)]);
      const [f, g] = [await h1.box("m", "f"), await h2.box("m", "g")];
      assert.equal([f.ipv4, g.ipv4].sort(), ["10.65.0.2", "10.65.1.2"]);
      await until(
        async () => (await callFrom(f.netns, "tcp", g.ipv4, 80, IN_VAIN)) === `g ::ffff:${f.ipv4}`,
        "f to reach g",
        20_000,
      );
      for (const box of [a, b])
        assert.is(await callFrom(box.netns, "tcp", g.ipv4, 80, IN_VAIN), "nothing", "networks are apart");
      const twice = await rejection(h2.ask("network", "o", generic({ network: "red", subnet: "10.65.128.0/17" })));
      assert.match(twice.message, 'conflicts with network "green" (10.65.0.0/16)');
    },
    { ms, needs },
  );

test(
  "a host joins later, leaves, and gets another address: the others follow, and a prefix given back is the next one's",
  async (t) => {
    const { host, h1, h2, a, b } = await two(t);
    const h3 = await host(3);
    await h3.ask("network", "n", generic(ONLY_NAME));
    const c = await h3.box("n", "c");
    assert.is(c.ipv4, "10.64.2.2");
    for (const [one, eid, to] of [
      [h1, "a", "2,198.51.100.3"],
      [h2, "b", "1,198.51.100.3"],
    ] as const)
      await follows(one, eid, [`198.51.100.${to.split(",")[0]}`, "198.51.100.3"]);
    await reach({ a, b, c });

    const e = await h2.box("n", "e", "10.64.1.9/16");
    for (const far of [a, c])
      assert.is(
        await callFrom(far.netns, "tcp", e.ipv4, 80),
        `e ::ffff:${far.ipv4}`,
        "with an engine's address and mask",
      );
    assert.is(await callFrom(e.netns, "tcp", c.ipv4, 80), "c ::ffff:10.64.1.9");
    assert.is(await callFrom(e.netns, "tcp", b.ipv4, 80), "b ::ffff:10.64.1.9");

    await h3.ask("unbox", "n", "c");
    await h3.ask("delete", "n");
    await follows(h1, "a", ["198.51.100.2"]);
    await follows(h2, "b", ["198.51.100.1"]);
    assert.not.match(h1.run("ip", "route"), "10.64.2.0/24");
    const h4 = await host(4);
    await h4.ask("network", "n", generic(ONLY_NAME));
    assert.is((await h4.box("n", "d")).ipv4, "10.64.2.2");

    await h2.kill();
    h2.run("ip", "address", "add", "198.51.100.22/24", "dev", "eth0");
    await h2.start({ address: "198.51.100.22" });
    await follows(h1, "a", ["198.51.100.22", "198.51.100.4"]);
    await reach({ a, b });
  },
  { ms, needs },
);

test(
  "killed and started again, a host keeps prefix and addresses; cut off from the store, it goes on, and creates no network",
  async (t) => {
    const { host, etcd, h1, h2, a, b } = await two(t);
    await h2.kill();
    await reach({ a, b });
    await h2.start();
    assert.equal(((await h2.ask("info", "n", "b")) as { prefixes: Json }).prefixes, [
      "10.64.1.0/24",
      "fd64:0:1:1::/64",
    ]);
    const b2 = await h2.box("n", "b2");
    assert.is(b2.ipv4, "10.64.1.3");
    await reach({ a, b, b2 });

    await etcd.kill("SIGKILL");
    const cut = await rejection(h1.ask("network", "m", generic({ network: "green", subnet: "10.65.0.0/16" })));
    assert.match(cut.message, /network "green" cannot be created: the store that hosts share did not do it/);
    const a2 = await h1.box("n", "a2");
    assert.is(a2.ipv4, "10.64.0.3");
    await reach({ a, a2, b });
    const { tunnel, bridge } = (await h1.ask("info", "n", "a")) as { tunnel: string; bridge: string };
    await h1.kill();
    // As after a restart of the machine.
    for (const link of [tunnel, bridge]) h1.run("ip", "link", "delete", link);
    await h1.start();
    const a3 = await h1.box("n", "a3");
    assert.is(a3.ipv4, "10.64.0.4");
    await reach({ a, a3, b2 });

    await etcd.start();
    await h1.ask("network", "m", generic({ network: "green", subnet: "10.65.0.0/16" }));
    const h3 = await host(3);
    await h3.ask("network", "n", generic(ONLY_NAME));
    const c = await h3.box("n", "c");
    assert.is(c.ipv4, "10.64.2.2");
    await follows(h1, "a", ["198.51.100.2", "198.51.100.3"]);
    await follows(h2, "b", ["198.51.100.1", "198.51.100.3"]);
    await reach({ a3, b2, c });

    // Somebody with the store's credentials, or a hostile host, writes what is no network, and then one with other terms.
    const key = Buffer.from("bulkhead/keys/overlay/networks/blue").toString("base64");
    const { kvs } = (await etcd.call("kv/range", { key })) as { kvs: readonly { value: string }[] };
    const value = kvs[0]?.value ?? "";
    const text = Buffer.from(value, "base64").toString();
    for (const one of [
      "{}",
      text.replace('"h2"', '"h9"').replace('"n":1', '"n":2'),
      text.replace("10.64.0.0", "10.80.0.0"),
    ])
      await etcd.call("kv/put", { key, value: Buffer.from(one).toString("base64") });
    const h5 = host(5);
    const damaged = await rejection((await h5).ask("network", "n", generic(ONLY_NAME)));
    assert.match(
      damaged.message,
      /shared value "networks\/blue" is damaged \(its identifier or subnets are not those of its claim\)/,
    );
    await reach({ a3, b2, c });
    await etcd.call("kv/put", { key, value });
    await (await h5).ask("network", "n", generic(ONLY_NAME));
    await follows(h1, "a", ["198.51.100.2", "198.51.100.3", "198.51.100.5"]);
  },
  { ms, needs },
);

test(
  "a host that does not come back keeps its prefix until an operator says that it is gone; then it has none",
  async (t) => {
    const { host, h1, h2, a } = await two(t);
    await h2.kill();
    const h3 = await host(3);
    await h3.ask("network", "n", generic(ONLY_NAME));
    const c = await h3.box("n", "c");
    assert.is(c.ipv4, "10.64.2.2", "the prefix of h2 is nobody else's");
    await follows(h1, "a", ["198.51.100.2", "198.51.100.3"]);

    await h1.ask("fence", "h2", { force: true, reason: "burnt down" });
    await follows(h1, "a", ["198.51.100.3"]);
    const { hosts } = (await h1.ask("hosts")) as { readonly hosts: readonly { host: string; fence: Json }[] };
    assert.equal(hosts.map((one) => [one.host, one.fence !== null]).sort(), [
      ["h1", false],
      ["h2", true],
      ["h3", false],
    ]);
    await h2.start();
    await until(async () => "lost" in ((await h2.ask("info", "n", "b")) as object), "h2 to hear of it", 20_000);
    assert.match(
      (await rejection(h2.ask("box", "n", "b2", "none"))).message,
      /is this host's no more, since an operator/,
    );
    assert.equal(await leads(h2, "b"), [""]);
    await reach({ a, c });
    const green = generic({ network: "green", subnet: "10.65.0.0/16" });
    const fenced = await rejection(h2.ask("network", "m", green));
    assert.match(fenced.message, /an operator has said that host "h2" is gone/);
    await h2.ask("fence", "h2", { undo: true });
    await until(async () => (await h2.ask("network", "m", green).catch(() => "not yet")) === null, "h2 to hear of it");

    await h3.kill();
    await h1.kill();
    await h1.start({ gone: ["h3"] });
    await follows(h1, "a", []);
  },
  { ms, needs },
);

test.run();
