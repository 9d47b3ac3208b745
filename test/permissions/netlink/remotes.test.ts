/** The remote hosts of a vxlan: set, replaced, removed, and put back after a crash or another program's change. */
import type { Json } from "#dist/driverapi/json.js";
import { MemoryLedger } from "#dist/permissions/ledger.js";
import type { NamespaceView } from "#dist/permissions/netlink/backend.js";
import { createNetlinkHub } from "#dist/permissions/netlink/hub.js";
import type { LedgerRow } from "#dist/permissions/netlink/ledger.js";
import type { RemoteInfo } from "#dist/permissions/netlink/remote-spec.js";
import { assert, rejection, suite, type TestContext, until } from "../../harness.js";
import { SILENT } from "../../kit/logger.js";
import { type Bench, bench, CARD, LIMITS_FOR_TESTS, onBoth } from "./backends.js";

const test = suite("permissions/netlink/remotes");
const TUNNELS = { vniFrom: 100, vniTo: 199, remotes: ["192.0.2.0/24"], ports: [4789], parents: ["eth0"] };
const ONE = {
  host: "192.0.2.2",
  mac: "02:42:0a:40:00:02",
  routes: [
    { destination: "10.65.2.0/24", via: "10.65.2.0" },
    { destination: "fd64:0:2::/64", via: "fd64:0:2::" },
  ],
};
const TWO = {
  host: "192.0.2.3",
  mac: "02:42:0a:40:00:03",
  routes: [{ destination: "10.65.3.0/24", via: "10.65.3.0" }],
};

async function overlay(t: TestContext, kind: "kernel" | "model", options = {}): Promise<Bench> {
  const one = await bench(t, kind, TUNNELS, options);
  await one.host(...CARD, { op: "addAddress", name: "eth0", address: "192.0.2.1/24" });
  const link = { kind: "vxlan", name: "bh-x", vni: 100, local: "192.0.2.1", parent: "eth0" };
  assert.match(JSON.stringify(await one.ask("createLink", link)), '"mtu":1450');
  await one.ask("setLink", "bh-x", { up: true });
  await one.ask("addAddress", "bh-x", "10.65.1.0/32");
  return one;
}

/** Every entry of the vxlan's remote hosts. */
async function entries({ backend }: Pick<Bench, "backend">): Promise<readonly string[]> {
  const view: NamespaceView = await backend.look({ routes: true, remotes: true });
  return [
    ...(view.forwards ?? []).map(({ dev, mac, host }) => `${dev} ${mac} ${host}`),
    ...(view.neighbours ?? []).map(({ dev, ip, mac }) => `${dev} ${ip} ${mac}`),
    ...view.routes
      .filter(({ dev, via }) => dev === "bh-x" && via.length > 0)
      .map(({ dev, destination, via }) => `${dev} ${destination} ${via}`),
  ].sort();
}

const WITH_ONE = [
  "bh-x 02:42:0a:40:00:02 192.0.2.2",
  "bh-x 10.65.2.0 02:42:0a:40:00:02",
  "bh-x 10.65.2.0/24 10.65.2.0",
  "bh-x fd64:0:2:: 02:42:0a:40:00:02",
  "bh-x fd64:0:2::/64 fd64:0:2::",
];

onBoth(test, "set, set again, replaced, removed: nothing of it stays", async (t, kind) => {
  const one = await overlay(t, kind);
  const { ask } = one;
  await ask("setRemote", "bh-x", ONE);
  await ask("setRemote", "bh-x", ONE);
  assert.equal(await entries(one), WITH_ONE);
  await ask("setRemote", "bh-x", TWO);
  assert.equal(await ask("remotes", "bh-x"), [
    { ...ONE, complete: true },
    { ...TWO, complete: true },
  ]);
  const moved = { ...ONE, mac: "02:42:0a:40:00:09", routes: [{ destination: "10.65.2.0/25", via: "10.65.2.9" }] };
  await ask("setRemote", "bh-x", moved);
  await ask("removeRemote", "bh-x", TWO.host);
  await ask("removeRemote", "bh-x", TWO.host);
  assert.equal(await entries(one), [
    "bh-x 02:42:0a:40:00:09 192.0.2.2",
    "bh-x 10.65.2.0/25 10.65.2.9",
    "bh-x 10.65.2.9 02:42:0a:40:00:09",
  ]);
  await ask("removeRemote", "bh-x", ONE.host);
  assert.equal(await entries(one), []);
  assert.equal(await ask("remotes", "bh-x"), []);
});

onBoth(test, "a remote that fails half-way is taken back, and the one before it stands", async (t, kind) => {
  const one = await overlay(t, kind);
  const { ask } = one;
  await ask("setRemote", "bh-x", ONE);
  // Its link goes down between judgement and run: only routes fail then.
  const { apply } = one.backend;
  one.backend.apply = async (units) => {
    one.backend.apply = apply;
    await one.host({ op: "down", name: "bh-x" });
    return apply.call(one.backend, units);
  };
  const error = await rejection(ask("setRemote", "bh-x", { ...ONE, mac: "02:42:0a:40:00:08" }));
  assert.is(error.code, "ERR_NETLINK_FAILED", error.message);
  assert.ok((await entries(one)).includes("bh-x 02:42:0a:40:00:02 192.0.2.2"), "the forwarding entry");
  assert.not((await entries(one)).some((line) => line.includes("02:42:0a:40:00:08")));
  assert.equal(await ask("remotes", "bh-x"), [{ ...ONE, complete: false }]);
});

onBoth(
  test,
  "entries that another program deletes: seen as incomplete, and set again",
  async (t, kind) => {
    const events: string[] = [];
    const one = await overlay(t, kind, { report: ({ event }: { event: string }) => void events.push(event) });
    const { ask, host } = one;
    await ask("setRemote", "bh-x", ONE);
    await host({ op: "deleteNeighbour", name: "bh-x", ip: "10.65.2.0", mac: ONE.mac });
    assert.equal(
      ((await ask("remotes", "bh-x")) as unknown as RemoteInfo[]).map(({ complete }) => complete),
      [false],
    );
    await ask("setRemote", "bh-x", ONE);
    assert.equal(await entries(one), WITH_ONE);
    if (kind === "model") return;
    await host({ op: "unsetRoute", name: "bh-x", destination: "10.65.2.0/24", via: "10.65.2.0" });
    await until(() => events.length > 0, "it is told", 20_000);
    assert.equal(await entries(one), WITH_ONE);
    assert.equal(events, ["link-restored"]);
  },
  60_000,
);

onBoth(
  test,
  "a host that starts after a crash sets again what is missing, but not what is routed elsewhere",
  async (t, kind) => {
    const ledger = Object.assign(new MemoryLedger<LedgerRow>(), { durable: true });
    const one = await overlay(t, kind, { ledger });
    await one.ask("setRemote", "bh-x", ONE);
    await one.ask("setRemote", "bh-x", TWO);
    await one.hub.close();
    await one.host(
      { op: "deleteForward", name: "bh-x", mac: ONE.mac, host: ONE.host },
      { op: "unsetRoute", name: "bh-x", destination: "10.65.2.0/24", via: "10.65.2.0" },
      { op: "unsetRoute", name: "bh-x", destination: "10.65.3.0/24", via: "10.65.3.0" },
      { op: "addRoute", destination: "10.65.3.0/24", via: "192.0.2.9", dev: "eth0" },
    );
    const hub = createNetlinkHub({ use: one.backend, logger: SILENT, resolvers: () => [], ledger });
    t.cleanup(() => hub.close());
    const power = hub.open("bridge", { ...LIMITS_FOR_TESTS, ...TUNNELS });
    const list = (await power.methods?.get("netlink.remotes")?.(["bh-x"])) as Json;
    assert.equal(list, [
      { ...ONE, complete: true },
      { ...TWO, complete: false },
    ]);
    await power.methods?.get("netlink.deleteLink")?.(["bh-x"]);
    assert.equal(await entries(one), []);
  },
);

test.run();
