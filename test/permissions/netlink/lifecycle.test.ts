/** What a driver does with `powers.netlink`, on both backends. */
import type { LinkInfo } from "#dist/permissions/netlink/link-spec.js";
import { assert, rejection, suite } from "../../harness.js";
import { bench, CARD, onBoth } from "./backends.js";

const test = suite("permissions/netlink");

onBoth(test, "a bridge with a veth, addresses and a route, and all of it gone again", async (t, kind) => {
  const { ask, backend } = await bench(t, kind);
  const bridge = (await ask("createLink", {
    kind: "bridge",
    name: "bh-b",
    mtu: 1400,
    mac: "02:42:0a:40:00:01",
  })) as unknown as LinkInfo;
  assert.equal(
    { ...bridge, ifindex: 0 },
    {
      name: "bh-b",
      kind: "bridge",
      ifindex: 0,
      up: false,
      mtu: 1400,
      mac: "02:42:0a:40:00:01",
      addresses: [],
    },
  );
  await ask("createLink", { kind: "veth", name: "bh-v", peer: "bh-w", mtu: 1400, peerMac: "02:42:0a:40:00:02" });
  await ask("setLink", "bh-v", { master: "bh-b", up: true });
  await ask("setLink", "bh-b", { up: true });
  await ask("addAddress", "bh-b", "10.64.0.1/24");
  await ask("addAddress", "bh-b", "fd64::1/64");
  await ask("addRoute", { destination: "10.65.0.0/16", via: "10.64.0.7", dev: "bh-b" });
  await ask("addRoute", { destination: "fd64:0:1::/48", dev: "bh-b" });

  const links = (await ask("links")) as unknown as LinkInfo[];
  assert.equal(
    links.map(({ name, kind: of, master, peer, mtu, up, addresses, counters }) => [
      name,
      of,
      master,
      peer,
      mtu,
      up,
      addresses,
      typeof counters?.rxBytes,
    ]),
    [
      ["bh-b", "bridge", undefined, undefined, 1400, true, ["10.64.0.1/24", "fd64::1/64"], "number"],
      ["bh-v", "veth", "bh-b", "bh-w", 1400, true, [], "number"],
      ["bh-w", "veth", undefined, "bh-v", 1400, false, [], "number"],
    ],
  );
  assert.is(links[2]?.mac, "02:42:0a:40:00:02");
  const { routes } = await backend.look({ routes: true });
  assert.equal(
    routes.filter(({ destination }) => destination === "10.65.0.0/16"),
    [{ destination: "10.65.0.0/16", via: ["10.64.0.7"], dev: "bh-b" }],
  );

  await ask("deleteRoute", { destination: "10.65.0.0/16", dev: "bh-b" });
  await ask("deleteAddress", "bh-b", "fd64::1/64");
  await ask("deleteLink", "bh-w");
  await ask("deleteLink", "bh-b");
  assert.equal(await ask("links"), []);
  assert.equal([...(await backend.look()).links.keys()], ["lo"]);
});

onBoth(test, "what is asked in one turn goes in one run, in order", async (t, kind) => {
  const { ask, hub } = await bench(t, kind);
  await ask("links");
  const before = hub.invocations;
  await Promise.all(
    Array.from({ length: 20 }, (_, i) => ask("createLink", { kind: "veth", name: `bh-a${i}`, peer: `bh-b${i}` })),
  );
  assert.is(hub.invocations - before, 2, "one look, one batch");
  const [, links] = await Promise.all([ask("createLink", { kind: "bridge", name: "bh-br" }), ask("links")]);
  assert.is((links as unknown[]).length, 41, "links() sees what was asked before it");
  await Promise.all([
    ask("createLink", { kind: "veth", name: "bh-x", peer: "bh-y" }),
    ask("setLink", "bh-x", { master: "bh-br" }),
    ask("deleteLink", "bh-y"),
    ask("createLink", { kind: "bridge", name: "bh-x" }),
  ]);
  assert.is(((await ask("links")) as unknown as LinkInfo[]).find(({ name }) => name === "bh-x")?.kind, "bridge");
});

onBoth(
  test,
  "a request that fails half-way is taken back, and the others of its run are not touched",
  async (t, kind) => {
    const { ask, host, backend } = await bench(t, kind, { parents: ["eth0"] });
    await host(...CARD);
    const shape = { kind: "macvlan", parent: "eth0", mode: "bridge", mtu: 1400, mac: "02:42:0a:40:00:09" };
    await ask("createLink", { ...shape, name: "bh-first" });
    await ask("setLink", "bh-first", { up: true });
    await ask("createLink", { ...shape, name: "bh-m" });
    const [one, two, three] = await Promise.all([
      ask("createLink", { kind: "bridge", name: "bh-one" }),
      // Another macvlan that is up has its MAC: up is refused, and the MTU set before it is put back.
      rejection(ask("setLink", "bh-m", { mtu: 1300, up: true })),
      ask("createLink", { kind: "veth", name: "bh-two", peer: "bh-too" }),
    ]);
    assert.is((one as unknown as LinkInfo).name, "bh-one");
    assert.is(two.code, "ERR_NETLINK_FAILED");
    assert.match(two.message, /Address already in use/);
    assert.is((three as unknown as LinkInfo).peer, "bh-too");
    assert.is((await backend.look()).links.get("bh-m")?.mtu, 1400);
  },
);

onBoth(test, "common failures have the same words", async (t, kind) => {
  const { ask, host } = await bench(t, kind);
  await host({ op: "add", link: { kind: "bridge", name: "bh-theirs" } });
  await ask("createLink", { kind: "bridge", name: "bh-b" });
  const words = async (...call: Parameters<typeof ask>): Promise<string> => {
    const error = await rejection(ask(...call));
    assert.is(error.code, "ERR_NETLINK_FAILED", error.message);
    return error.message;
  };
  assert.match(await words("createLink", { kind: "veth", name: "bh-theirs", peer: "bh-z" }), /File exists/);
  assert.match(await words("createLink", { kind: "veth", name: "bh-z", peer: "bh-theirs" }), /File exists/);
  assert.match(await words("deleteLink", "bh-none"), /Cannot find device "bh-none"/);
  assert.match(await words("addRoute", { destination: "10.65.0.0/24", dev: "bh-b" }), /Network is down/);
  await ask("setLink", "bh-b", { up: true });
  await ask("addAddress", "bh-b", "10.64.0.1/24");
  await ask("addAddress", "bh-b", "fd64::1/64");
  assert.match(await words("addAddress", "bh-b", "10.64.0.1/24"), /File exists/);
  assert.match(await words("addAddress", "bh-b", "fd64::1/64"), /File exists/);
  assert.match(await words("deleteAddress", "bh-b", "10.64.0.2/24"), /Cannot assign requested address/);
  assert.match(await words("deleteRoute", { destination: "10.65.0.0/24", dev: "bh-b" }), /No such process/);
});

onBoth(test, "an identical own link is adopted, a differing one refused", async (t, kind) => {
  const { ask } = await bench(t, kind);
  const spec = { kind: "veth", name: "bh-v", peer: "bh-w", mtu: 1400 };
  const first = (await ask("createLink", spec)) as unknown as LinkInfo;
  const again = (await ask("createLink", {
    mtu: 1400,
    peer: "bh-w",
    name: "bh-v",
    kind: "veth",
  })) as unknown as LinkInfo;
  assert.is(again.ifindex, first.ifindex);
  const error = await rejection(ask("createLink", { ...spec, peer: "bh-other" }));
  assert.is(error.code, "ERR_NETLINK_REFUSED");
  assert.match(error.message, /rule "differs"/);
});

test.run();
