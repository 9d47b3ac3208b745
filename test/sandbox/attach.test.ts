/** A sandbox attached and detached, in the kernel and in the model: links, addresses, routes of both types, gateways. */
import { execFileSync } from "node:child_process";
import { assert, rejection, suite } from "../harness.js";
import { bench, ENDPOINT, failingAt, JOIN, noKernel, onBoth, shape, WIRED } from "./bench.js";

const test = suite("sandbox: attach");

onBoth(test, "moved, named, MAC, addresses, up, routes of both types, gateways; and back", async (t, kind) => {
  const { does, look, attach, sandbox, notes } = bench(t, kind);
  await does(WIRED);
  const box = sandbox();
  const before = shape(await look());
  const boxBefore = shape(await look(box));

  const attached = await attach(box, ENDPOINT, JOIN);
  assert.equal(attached.links, [{ id: 0, srcName: "bh-c", name: "eth0" }]);
  assert.equal([attached.gateway, attached.gatewayIPv6], ["10.64.0.1", "fd64::1"]);
  const inside = await look(box);
  assert.ok(inside.links.get("lo")?.up);
  assert.equal(shape(inside), {
    links: [
      {
        name: "eth0",
        up: true,
        mtu: 1400,
        mac: "02:42:0a:40:00:02",
        master: undefined,
        alias: "bulkhead:test:bridge:bh-c",
        addresses: ["10.64.0.2/24", "fd64::2/64"],
      },
      {
        name: "lo",
        up: true,
        mtu: 65536,
        mac: "00:00:00:00:00:00",
        master: undefined,
        alias: undefined,
        addresses: [],
      },
    ],
    routes: [
      "0.0.0.0/0 eth0 10.64.0.1",
      "10.64.0.0/24 eth0",
      "10.70.0.0/16 eth0 10.64.0.9",
      "10.71.0.0/16 eth0",
      "::/0 eth0 fd64::1",
      "fd64::/64 eth0",
      "fd70::/48 eth0 fd64::9",
      "fd71::/48 eth0",
    ],
  });
  assert.not((await look()).links.has("bh-c"));

  await attached.detach();
  assert.equal(shape(await look()), before);
  assert.equal(shape(await look(box)), boxBefore);
  assert.equal(notes, [`bh-c to ${box}`, "bh-c back"]);
  await attached.detach();
  await does([{ op: "delete", name: "bh-h" }]);
  assert.not((await look()).links.has("bh-c"));
});

onBoth(
  test,
  "a failure at any step leaves nothing behind; detaching may fail at any, and is tried again",
  async (t, kind) => {
    const { does, look, attach, sandbox } = bench(t, kind);
    await does(WIRED);
    const box = sandbox();
    await does([{ op: "down", name: "lo" }], box);
    const before = [shape(await look()), await lo(look, box), shape(await look(box))];
    const steps = new Set<string>();
    for (let at = 0; ; at++) {
      const { open, reached } = failingAt(at);
      const outcome = await attach(box, ENDPOINT, JOIN, open).then(
        (attached) => attached,
        (error: Error & { code?: string }) => error,
      );
      if (!(outcome instanceof Error)) {
        const stuck = await outcome.detach().catch((error: Error) => error);
        if (stuck) steps.add(/could not (.+): injected$/.exec(stuck.message)?.[1] ?? stuck.message);
        await outcome.detach();
        assert.equal([shape(await look()), shape(await look(box))], [before[0], before[2]]);
        if (!reached()) break;
        assert.ok(stuck);
        // A sandbox's loopback stays up.
        await does([{ op: "down", name: "lo" }], box);
        continue;
      }
      assert.is((outcome as { code?: string }).code, "ERR_SANDBOX_FAILED");
      const step = /^sandbox "[^"]+": could not (.+): injected; undone$/.exec(outcome.message)?.[1];
      assert.ok(step, outcome.message);
      steps.add(step ?? "");
      assert.equal([shape(await look()), await lo(look, box), shape(await look(box))], before, step);
    }
    const expected = [
      "bring lo up",
      "rename bh-c to eth0",
      "give eth0 the MAC 02:42:0a:40:00:02",
      "give eth0 the address 10.64.0.2/24",
      "give eth0 the address fd64::2/64",
      "bring eth0 up",
      "set the route to 10.71.0.0/16 dev eth0",
      "set the route to fd71::/48 dev eth0",
      "set the route to 10.70.0.0/16 via 10.64.0.9 dev eth0",
      "set the route to fd70::/48 via fd64::9 dev eth0",
      "set the route to 0.0.0.0/0 via 10.64.0.1 dev eth0",
      "set the route to ::/0 via fd64::1 dev eth0",
      "bring eth0 down",
      "give eth0 its own MAC",
      "rename eth0 to bh-c",
      "move bh-c back",
    ];
    assert.equal([...steps], expected);
  },
);

async function lo(look: ReturnType<typeof bench>["look"], box: string): Promise<boolean | undefined> {
  return (await look(box)).links.get("lo")?.up;
}

onBoth(test, "of two links the second cannot be moved: the first goes back", async (t, kind) => {
  const { does, look, attach, sandbox, notes } = bench(t, kind);
  await does(WIRED);
  const box = sandbox();
  const before = shape(await look());
  const endpoint = [ENDPOINT[0], { id: 1, mac: "", ipv4: "", ipv6: "" }];
  const names = [...JOIN.names, { id: 1, srcName: "bh-none", dstPrefix: "eth" }];
  const error = await rejection(attach(box, endpoint, { ...JOIN, names }));
  assert.is(error.code, "ERR_SANDBOX_FAILED");
  assert.match(error.message, /could not move bh-none: Cannot find device "bh-none"; undone$/);
  assert.equal(shape(await look()), before);
  assert.equal(notes, [`bh-c to ${box}`, `bh-none to ${box}`, "bh-c back", "bh-none back"]);
});

onBoth(test, "an attempt fails for real: a route that is there twice", async (t, kind) => {
  const { does, look, attach, sandbox } = bench(t, kind);
  await does(WIRED);
  const box = sandbox();
  const before = [shape(await look()), shape(await look(box))];
  const error = await rejection(
    attach(box, ENDPOINT, { ...JOIN, staticRoutes: [JOIN.staticRoutes[0], JOIN.staticRoutes[0]] }),
  );
  assert.match(
    error.message,
    /could not set the route to 10\.70\.0\.0\/16 via 10\.64\.0\.9 dev eth0: .*File exists; undone$/,
  );
  assert.equal([shape(await look()), shape(await look(box))], before);
});

onBoth(test, "the lowest free number; a second endpoint leaves the sandbox its gateways", async (t, kind) => {
  const { does, look, attach, sandbox } = bench(t, kind);
  await does(WIRED);
  await does([{ op: "add", link: { kind: "veth", name: "bh-h2", peer: "bh-c2" } }]);
  await does([{ op: "add", link: { kind: "veth", name: "bh-h3", peer: "bh-c3" } }]);
  const box = sandbox();
  await does([{ op: "add", link: { kind: "bridge", name: "eth1" } }], box);
  const join = (srcName: string, gateway: string): object => ({
    names: [{ id: 0, srcName, dstPrefix: "eth" }],
    gateway,
  });
  // At once: they must not find the same number free.
  const [first, second] = await Promise.all([
    attach(box, ENDPOINT, JOIN),
    attach(box, [{ id: 0, ipv4: "10.65.0.2/24" }], join("bh-c2", "10.65.0.1")),
  ]);
  assert.equal([first?.links[0]?.name, second?.links[0]?.name], ["eth0", "eth2"]);
  assert.equal([first?.gateway, second?.gateway], ["10.64.0.1", ""]);
  await first?.detach();
  const third = await attach(box, [{ id: 0, ipv4: "10.66.0.2/24" }], join("bh-c3", "10.66.0.1"));
  assert.equal([third.links[0]?.name, third.gateway], ["eth0", "10.66.0.1"]);
  for (const one of [second, third]) await one?.detach();
  assert.equal([...(await look(box)).links.keys()].sort(), ["eth1", "lo"]);
});

onBoth(test, "renamed inside by somebody: it is found again by its number", async (t, kind) => {
  const { does, look, attach, sandbox } = bench(t, kind);
  await does(WIRED);
  const box = sandbox();
  const attached = await attach(box, ENDPOINT, JOIN);
  await does(
    [
      { op: "down", name: "eth0" },
      { op: "rename", name: "eth0", to: "mine" },
    ],
    box,
  );
  await attached.detach();
  assert.ok((await look()).links.has("bh-c"));
});

onBoth(test, "deleted by its driver, or by somebody inside: detaching is not an error", async (t, kind) => {
  const { does, attach, sandbox, notes } = bench(t, kind);
  await does(WIRED);
  const attached = await attach(sandbox(), ENDPOINT, JOIN);
  await does([{ op: "delete", name: "bh-h" }]);
  await attached.detach();
  assert.is(notes.at(-1), "bh-c back");
});

test(
  "kernel: the namespace is gone with the link: detaching is not an error",
  async (t) => {
    const { does, attach } = bench(t, "kernel");
    await does(WIRED);
    const box = `bhs-gone-${process.pid}`;
    execFileSync("ip", ["netns", "add", box]);
    const attached = await attach(box, ENDPOINT, JOIN);
    execFileSync("ip", ["netns", "delete", box]);
    await attached.detach();
  },
  { needs: noKernel },
);

test(
  "kernel: by path; where IPv6 is switched off it is switched on for the link",
  async (t) => {
    const { does, look, attach, sandbox } = bench(t, "kernel");
    await does(WIRED);
    const name = sandbox();
    for (const which of ["all", "default"]) {
      execFileSync("ip", ["netns", "exec", name, "tee", `/proc/sys/net/ipv6/conf/${which}/disable_ipv6`], {
        input: "1",
      });
    }
    const attached = await attach(`/run/netns/${name}`, ENDPOINT, JOIN);
    const addresses = (await look(name)).links.get("eth0")?.addresses.map(({ ip }) => ip) ?? [];
    assert.ok(addresses.includes("fd64::2"), addresses.join());
    await attached.detach();
    assert.ok((await look()).links.has("bh-c"));
  },
  { needs: noKernel },
);

test(
  "kernel: a gateway outside the subnet is reached by a CONNECTED route",
  async (t) => {
    const { does, look, attach, sandbox } = bench(t, "kernel");
    await does(WIRED);
    const box = sandbox();
    await attach(box, [{ id: 0, ipv4: "10.64.0.2/32" }], {
      names: JOIN.names,
      gateway: "10.99.0.1",
      staticRoutes: [{ destination: "10.99.0.1/32", routeType: 1, nextHop: "", interfaceID: 0 }],
    });
    const { routes } = await look(box);
    assert.equal(routes.find(({ destination }) => destination === "0.0.0.0/0")?.via, ["10.99.0.1"]);
  },
  { needs: noKernel },
);

test.run();
