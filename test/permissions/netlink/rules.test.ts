/** Every rule of a netlink grant, by the attack that works without it, on both backends. */
import { execFileSync } from "node:child_process";
import { isDeepStrictEqual } from "node:util";
import type { Json } from "#dist/driverapi/json.js";
import { readResolvers } from "#dist/permissions/netlink/kernel/read.js";
import { NETLINK } from "#dist/permissions/netlink/limits.js";
import { RULES } from "#dist/permissions/netlink/rules.js";
import { assert, rejection, suite, until } from "../../harness.js";
import { ATTACKS, type Attack } from "./attacks.js";
import { bench, CARD, noKernel, onBoth, ruleOf } from "./backends.js";

const test = suite("permissions/netlink/rules");
/** A method and its arguments. */
type Call = readonly [string, ...Json[]];

const EVERYTHING = { addresses: true, routes: true };

/** What there is, once the kernel has added the routes of new IPv6 addresses: it does that later, and tells nobody when all are there. */
async function settled(look: () => Promise<unknown>): Promise<unknown> {
  let last = await look();
  let same = 0;
  await until(async () => {
    const now = await look();
    same = isDeepStrictEqual(now, last) ? same + 1 : 0;
    last = now;
    return same === 4;
  }, "the same five times");
  return last;
}

/** The attacks by an address or a master, made by `createLink` itself. */
const AT_CREATION = ATTACKS.flatMap((attack): Attack[] => {
  const [method, name, value] = attack.ask;
  const creation = attack.first?.find(
    ([made, link]) => made === "createLink" && (link as { readonly name: string }).name === name,
  );
  const first =
    method === "addAddress"
      ? { addresses: [value as string] }
      : method === "setLink" && typeof (value as { readonly master?: Json }).master === "string"
        ? { master: (value as { readonly master: string }).master }
        : undefined;
  if (!creation || !first) return [];
  const { works: _, takes: __, ...rest } = attack;
  const before = (attack.first ?? []).filter((one) => one !== creation && one[1] !== name);
  return [
    { ...rest, what: `${attack.what}, at creation`, first: before, ask: ["createLink", creation[1] ?? null, first] },
  ];
});

test("the attacks at creation break the rules on addresses, MTUs and masters", () => {
  const rules = new Set(AT_CREATION.map(({ rule }) => rule));
  for (const rule of [
    "address",
    "width",
    "special",
    "subnet",
    "host-address",
    "host-route",
    "resolver",
    "mtu",
    "own",
    "master",
  ])
    assert.ok(rules.has(rule), rule);
});

for (const attack of [...ATTACKS, ...AT_CREATION]) {
  onBoth(test, `${attack.rule}: ${attack.what}`, async (t, kind) => {
    const { resolvers = [] } = attack;
    const { ask, host, backend, netns } = await bench(t, kind, attack.limits, { resolvers: () => resolvers });
    await host(...(attack.host ?? []));
    for (const [method, ...args] of attack.first ?? []) await ask(method as string, ...args);

    const look = (): Promise<unknown> => backend.look(EVERYTHING);
    const before = kind === "kernel" ? await settled(look) : await look();
    const [method, ...args] = attack.ask;
    const error = await rejection(ask(method as string, ...args));
    assert.is(error.code, "ERR_NETLINK_REFUSED", error.message);
    assert.is(ruleOf(error), attack.rule, error.message);
    assert.ok(error.message.includes(attack.shows), `${error.message} does not show ${attack.shows}`);
    assert.ok(!/[\n\0]/.test(error.message), "the message is one line");
    assert.equal(await backend.look(EVERYTHING), before, "nothing has changed");

    if (!attack.works) return;
    const way = (): string => (kind === "kernel" && attack.takes ? wayTo(netns, attack.takes) : "");
    const honest = way();
    // Past the rules, it is done.
    await host(...attack.works);
    if (kind === "kernel" && attack.takes) assert.is.not(way(), honest, "the machine's traffic goes another way");
  });
}

/** Where the machine sends what is for an address. */
function wayTo(netns: string, ip: string): string {
  try {
    return execFileSync("ip", ["-n", netns, "route", "get", ip], { encoding: "utf8", stdio: "pipe" });
  } catch {
    return "nowhere";
  }
}

onBoth(test, "sandbox: a link that has been moved away is out of reach", async (t, kind) => {
  const { ask, hub } = await bench(t, kind);
  await ask("createLink", { kind: "veth", name: "bh-v", peer: "bh-w" });
  await hub.moved("bh-w", "/run/netns/bht-nowhere");
  for (const call of [
    ["setLink", "bh-w", { up: true }],
    ["addAddress", "bh-w", "10.64.0.1/24"],
    ["addRoute", { destination: "10.65.0.0/24", dev: "bh-w" }],
  ] as readonly Call[]) {
    assert.is(ruleOf(await rejection(ask(...call))), "sandbox");
  }
});

onBoth(test, "own: a link of another plugin, of a name both could have", async (t, kind) => {
  const { ask, open, hub } = await bench(t, kind);
  await ask("createLink", { kind: "bridge", name: "bh-b" });
  // A policy keeps prefixes apart; this stands behind it.
  await hub
    .open("bridge", {
      kinds: ["bridge"],
      prefix: "bh",
      max: 1,
      subnets: [],
      parents: [],
      passthru: false,
      remotes: [],
      ports: [],
    })
    .close?.();
  const other = open("other", { prefix: "ot" });
  for (const call of [
    ["deleteLink", "bh-b"],
    ["setLink", "bh-b", { up: true }],
    ["addAddress", "bh-b", "10.64.0.1/24"],
  ] as readonly Call[]) {
    assert.is(ruleOf(await rejection(other(...call))), "name");
  }
  assert.equal(await other("links"), []);
});

onBoth(
  test,
  "host-route, host-address: of two plugins that want one network, the first has it, also in one turn",
  async (t, kind) => {
    const { ask, open } = await bench(t, kind);
    const other = open("other", { prefix: "ot" });
    await Promise.all([
      ask("createLink", { kind: "bridge", name: "bh-b" }),
      other("createLink", { kind: "bridge", name: "ot-b" }),
    ]);
    await Promise.all([ask("setLink", "bh-b", { up: true }), other("setLink", "ot-b", { up: true })]);
    const [, refused] = await Promise.all([
      ask("addAddress", "bh-b", "10.64.0.1/24"),
      rejection(other("addAddress", "ot-b", "10.64.0.2/24")),
    ]);
    assert.is(ruleOf(refused), "host-address");
    assert.is(ruleOf(await rejection(other("addRoute", { destination: "10.64.0.128/25", dev: "ot-b" }))), "host-route");
  },
);

onBoth(test, "master: both ends of a veth put on bridges in one turn", async (t, kind) => {
  const { ask } = await bench(t, kind);
  for (const name of ["bh-b", "bh-c"]) await ask("createLink", { kind: "bridge", name });
  await ask("createLink", { kind: "veth", name: "bh-v", peer: "bh-w" });
  const [, refused] = await Promise.all([
    ask("setLink", "bh-v", { master: "bh-b" }),
    rejection(ask("setLink", "bh-w", { master: "bh-c" })),
  ]);
  assert.is(ruleOf(refused), "master");
});

onBoth(test, "host-mac: of two plugins that want one MAC in one turn, the first has it", async (t, kind) => {
  const { ask, open } = await bench(t, kind);
  const mac = "02:42:0a:40:00:07";
  const [, refused] = await Promise.all([
    ask("createLink", { kind: "bridge", name: "bh-b", mac }),
    rejection(open("other", { prefix: "ot" })("createLink", { kind: "bridge", name: "ot-b", mac })),
  ]);
  assert.is(ruleOf(refused), "host-mac");
});

onBoth(test, "own: a link that somebody has renamed is out of reach, under either name", async (t, kind) => {
  const { ask, host, backend } = await bench(t, kind);
  await ask("createLink", { kind: "bridge", name: "bh-b" });
  await host({ op: "rename", name: "bh-b", to: "bh-c" });
  assert.is(ruleOf(await rejection(ask("deleteLink", "bh-c"))), "own");
  assert.match((await rejection(ask("deleteLink", "bh-b"))).message, /Cannot find device/);
  assert.equal(await ask("links"), []);
  await host({ op: "delete", name: "bh-c" });
  assert.equal([...(await backend.look()).links.keys()], ["lo"]);
});

test(
  "remote: a tunnel learns nobody else's address, and a link that comes back from a sandbox is deaf to router advertisements",
  async (t) => {
    const { ask, hub, host, backend, netns } = await bench(t, "kernel", {
      vniFrom: 100,
      vniTo: 199,
      remotes: ["192.0.2.0/24"],
      ports: [4789],
    });
    const ip = (...args: readonly string[]): string => execFileSync("ip", ["-n", netns, ...args], { encoding: "utf8" });
    await ask("createLink", { kind: "vxlan", name: "bh-x", vni: 100, remote: "192.0.2.7" });
    assert.match(ip("-details", "link", "show", "dev", "bh-x"), /nolearning/);

    const accepts = (): string =>
      execFileSync("ip", ["netns", "exec", netns, "cat", "/proc/sys/net/ipv6/conf/bh-w/accept_ra"], {
        encoding: "utf8",
      }).trim();
    await ask("createLink", { kind: "veth", name: "bh-v", peer: "bh-w" });
    assert.is(accepts(), "0");
    const box = `${netns}-box`;
    execFileSync("ip", ["netns", "add", box]);
    t.cleanup(() => execFileSync("ip", ["netns", "delete", box]));
    await hub.moved("bh-w", box);
    await host({ op: "move", name: "bh-w", netns: box });
    await backend.elsewhere(box).apply([[{ change: { op: "move", name: "bh-w", netns } }]]);
    await hub.returned("bh-w");
    assert.is(accepts(), "0", "back again");
  },
  { needs: noKernel },
);

test("resolver: name servers are read as the C library reads them", () => {
  const text =
    "# nameserver 10.0.0.1\n nameserver 10.64.0.53\nnameserver\t10.80.53\nnameserver ::ffff:10.65.0.53\n" +
    "nameserver FD64::53\nnameserver fe80::1%eth0\nsearch nameserver\nnameserver nowhere\n";
  assert.equal(readResolvers(text), ["10.64.0.53", "10.80.0.53", "10.65.0.53", "fd64::53", "fe80::1"]);
});

onBoth(test, "max: links asked for in one turn count too", async (t, kind) => {
  const { ask } = await bench(t, kind, { max: 3 });
  const outcomes = await Promise.allSettled(
    ["a", "b", "c", "d", "e"].map((one) => ask("createLink", { kind: "bridge", name: `bh-${one}` })),
  );
  assert.equal(
    outcomes.map(({ status }) => status),
    ["fulfilled", "fulfilled", "fulfilled", "rejected", "rejected"],
  );
});

test(
  "remote-max: one more than a link may have",
  async (t) => {
    const { ask, hub, host } = await bench(t, "model", {
      vniFrom: 100,
      vniTo: 199,
      remotes: ["192.0.0.0/16"],
      ports: [4789],
    });
    await host(...CARD, { op: "addAddress", name: "eth0", address: "192.0.2.1/24" });
    await ask("createLink", { kind: "vxlan", name: "bh-x", vni: 100, local: "192.0.2.1" });
    await ask("setLink", "bh-x", { up: true });
    const hex = (n: number): string => n.toString(16).padStart(2, "0");
    const set = (n: number): Promise<Json> => {
      const [high, low] = [n >> 8, n & 255];
      const destination = `10.${64 + high}.${low}.0/24`;
      return ask("setRemote", "bh-x", {
        host: `192.0.${16 + high}.${low}`,
        mac: `02:42:00:00:${hex(high)}:${hex(low)}`,
        routes: [{ destination, via: destination.replace("/24", "") }],
      });
    };
    for (let n = 0; n < NETLINK.remotesPerLink; n++) await set(n);
    assert.is(ruleOf(await rejection(set(NETLINK.remotesPerLink))), "remote-max");
    await set(7);
    await ask("removeRemote", "bh-x", "192.0.16.7");
    await set(NETLINK.remotesPerLink);
    assert.ok(hub.owns("bridge", "bh-x"));
  },
  { ms: 60_000 },
);

test("every rule has its attack", () => {
  const attacked = new Set(ATTACKS.map(({ rule }) => rule)).add("sandbox").add("remote-max");
  assert.equal([...attacked].sort(), RULES.map(({ id }) => id).sort());
});

test.run();
