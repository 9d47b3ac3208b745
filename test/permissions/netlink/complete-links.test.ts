/** `createLink` with what is set on the link at once: one run, all or nothing, and a link that exists is completed. */
import { execFileSync } from "node:child_process";
import type { LinkInfo } from "#dist/permissions/netlink/link-spec.js";
import { assert, rejection, suite } from "../../harness.js";
import { bench, noKernel, onBoth, ruleOf } from "./backends.js";

const test = suite("permissions/netlink/complete-links");

const BRIDGE = { kind: "bridge", name: "bh-b" } as const;
const COMPLETE = { addresses: ["10.64.0.1/24", "fd64::1/64"], up: true };

onBoth(
  test,
  "a bridge with addresses, up, and a veth on it: a run each, and the reply tells all of it",
  async (t, kind) => {
    const { ask, hub } = await bench(t, kind);
    const before = hub.invocations;
    const bridge = (await ask("createLink", BRIDGE, COMPLETE)) as unknown as LinkInfo;
    assert.equal([bridge.addresses, bridge.up], [COMPLETE.addresses, true]);
    const one = hub.invocations - before;
    const pair = { kind: "veth", name: "bh-v", peer: "bh-w" };
    const veth = (await ask("createLink", pair, { master: "bh-b", up: true })) as unknown as LinkInfo;
    assert.equal([veth.master, veth.up, veth.peer], ["bh-b", true, "bh-w"]);
    if (kind === "kernel") assert.ok(one <= 4, `${one} runs: two listings, its creation and the rest`);
    const links = (await ask("links")) as unknown as readonly LinkInfo[];
    assert.equal(
      links.map(({ name, addresses, up }) => [name, addresses, up]),
      [
        ["bh-b", COMPLETE.addresses, true],
        ["bh-v", [], true],
        ["bh-w", [], false],
      ],
    );
  },
);

onBoth(test, "a link that exists gets what it lacks, and keeps the rest", async (t, kind) => {
  const { ask } = await bench(t, kind);
  await ask("createLink", BRIDGE, { addresses: ["10.64.0.1/24"] });
  await ask("addAddress", "bh-b", "10.64.9.1/24");
  const made = (await ask("createLink", BRIDGE, COMPLETE)) as unknown as LinkInfo;
  assert.equal([[...made.addresses].sort(), made.up], [["10.64.0.1/24", "10.64.9.1/24", "fd64::1/64"], true]);
  const again = (await ask("createLink", BRIDGE, COMPLETE)) as unknown as LinkInfo;
  assert.equal([...again.addresses].sort(), [...made.addresses].sort());
  const differs = await rejection(ask("createLink", { ...BRIDGE, mtu: 1400 }, COMPLETE));
  assert.is(ruleOf(differs), "differs");
});

test(
  "where the machine has disabled IPv6, a new link with an IPv6 address has it, and no link hears router advertisements",
  async (t) => {
    const { ask, netns } = await bench(t, "kernel");
    const inside = (...command: string[]): string =>
      execFileSync("ip", ["netns", "exec", netns, ...command], { encoding: "utf8" }).trim();
    inside("sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1");
    await ask("createLink", BRIDGE, COMPLETE);
    await ask("createLink", { kind: "bridge", name: "bh-c" }, { up: true });
    assert.equal(
      ["bh-b", "bh-c"].map((name) => inside("sysctl", "-n", `net.ipv6.conf.${name}.disable_ipv6`)),
      ["0", "1"],
    );
    assert.match(inside("ip", "address", "show", "bh-b"), "fd64::1/64");
    assert.equal(
      ["bh-b", "bh-c"].map((name) => inside("sysctl", "-n", `net.ipv6.conf.${name}.accept_ra`)),
      ["0", "0"],
    );
  },
  { needs: noKernel },
);

onBoth(test, "what the kernel refuses leaves no link", async (t, kind) => {
  const { ask, backend } = await bench(t, kind);
  const twice = { addresses: ["10.64.0.1/24", "10.64.0.1/24"], up: true };
  assert.is((await rejection(ask("createLink", BRIDGE, twice))).code, "ERR_NETLINK_FAILED");
  assert.not.ok((await backend.look()).links.has("bh-b"));
  assert.equal(await ask("links"), []);
  const missing = await rejection(
    ask("createLink", { kind: "veth", name: "bh-v", peer: "bh-w" }, { master: "bh-none" }),
  );
  assert.match(missing.message, 'Cannot find device "bh-none"');
  await ask("createLink", BRIDGE, COMPLETE);
});

onBoth(test, "other fields, and values of other types, are refused", async (t, kind) => {
  const { ask } = await bench(t, kind);
  for (const [first, rule] of [
    [{ mtu: 1400 }, "fields"],
    [{ addresses: "10.64.0.1/24" }, "shape"],
    [{ addresses: [1] }, "shape"],
    [{ addresses: Array(17).fill("10.64.0.1/24") }, "shape"],
    [{ up: 1 }, "shape"],
    [{ master: null, up: "yes" }, "shape"],
    ["up", "shape"],
  ] as const)
    assert.is(ruleOf(await rejection(ask("createLink", BRIDGE, first as never))), rule, JSON.stringify(first));
  assert.equal(await ask("links"), []);
});

test.run();
