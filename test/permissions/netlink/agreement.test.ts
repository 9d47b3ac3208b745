/** Kernel and model, driven with the same random calls, valid and not: they agree in every result and every error. */
import fc from "fast-check";
import type { Json } from "#dist/driverapi/json.js";
import { reasonOf } from "#dist/permissions/netlink/errors.js";
import type { LinkInfo } from "#dist/permissions/netlink/link-spec.js";
import { NETLINK_RUNS } from "../../amounts.js";
import { assert, suite, type TestContext } from "../../harness.js";
import { type Bench, bench, CARD, noKernel, ruleOf } from "./backends.js";

const test = suite("permissions/netlink/agreement");

/** A method and its arguments. */
type Call = readonly [string, ...Json[]];

const MACS = ["02:42:0a:40:00:01", "02:42:0a:40:00:02", "02:42:0a:40:00:03"];
/** Mostly what can be done, now and then what cannot. */
const mostly = (good: readonly Json[], bad: readonly Json[]): fc.Arbitrary<Json> =>
  fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...good) }, { weight: 1, arbitrary: fc.constantFrom(...bad) });

const name = mostly(["bh-a", "bh-a", "bh-b", "bh-b", "bh-c", "bh-d", "bh-e"], ["eth0", "bh-%d", "bh-theirs"]);
const fresh = mostly(["bh-d", "bh-d", "bh-e", "bh-e", "bh-f"], ["bh-a", "bh-b", "eth0", "bh-%d"]);
const bridge = mostly(["bh-a"], ["bh-b", "bh-d", "br0"]);
const mac = mostly([...MACS, "02-42-0A-40-00-01"], ["02:aa:00:00:00:01", "01:00:5e:00:00:01", "x"]);
const mtu = mostly([1280, 1300, 1400, 1500, 900], [9000, 67, 70_000]);
const address = mostly(
  [
    ...["10.64.0.1/24", "10.64.0.2/24", "10.64.0.1/25", "10.64.1.1/24", "10.65.0.1/16", "10.64.0.9/32"],
    ...["fd64::1/64", "fd64::2/64", "fd64:0:1::1/48", "FD64::1/64"],
  ],
  ["10.64.5.9/24", "10.64.5.2/32", "192.168.0.1/24", "127.0.0.1/16", "10.64.0.1", "fe80::1/64"],
);
const destination = mostly(
  ["10.66.0.0/24", "10.66.0.0/16", "10.64.0.0/24", "10.67.0.0/16", "fd64:0:6::/48", "fd64::/64"],
  ["0.0.0.0/0", "10.64.5.0/25", "8.8.8.8/32", "10.66.0.1/24"],
);
const via = mostly(["10.64.0.7", "10.64.1.7", "fd64::7"], ["10.64.0.1", "10.64.5.1", "nowhere"]);

const tunnel = mostly(["bh-t", "bh-t", "bh-t", "bh-d", "bh-e"], ["bh-a", "eth0"]);
const host = mostly(["192.0.2.2", "192.0.2.3", "192.0.2.4"], ["198.51.100.1", "192.0.2.1", "nowhere"]);
const REMOTE_MACS = ["02:42:0a:40:01:02", "02:42:0a:40:01:03", "02:42:0a:40:01:04"];
const REMOTE_ROUTES: readonly Json[] = [
  { destination: "10.68.2.0/24", via: "10.68.2.0" },
  { destination: "10.68.2.0/24", via: "10.68.2.9" },
  { destination: "10.68.3.0/24", via: "10.68.3.0" },
  { destination: "10.68.2.0/25", via: "10.68.2.1" },
  { destination: "fd64:0:8::/64", via: "fd64:0:8::" },
  { destination: "10.66.0.0/24", via: "10.66.0.1" },
  { destination: "10.64.5.0/25", via: "10.64.5.1" },
];

const optional = <T extends Record<string, fc.Arbitrary<Json>>>(fields: T): fc.Arbitrary<Record<string, Json>> =>
  fc.record(fields, { requiredKeys: [] }) as fc.Arbitrary<Record<string, Json>>;
const link = fc.oneof(
  fc.tuple(fc.record({ kind: fc.constant("bridge"), name: fresh }), optional({ mtu, mac })),
  fc.tuple(fc.record({ kind: fc.constant("veth"), name: fresh, peer: fresh }), optional({ mtu, mac, peerMac: mac })),
  fc.tuple(
    fc.record({
      kind: fc.constant("macvlan"),
      name: fresh,
      parent: mostly(["eth0"], ["eth1", "bh-b"]),
      mode: mostly(["bridge", "private", "passthru"], ["vepa"]),
    }),
    optional({ mtu, mac }),
  ),
  fc.tuple(
    fc.record({
      kind: fc.constant("vxlan"),
      name: fresh,
      vni: mostly([100, 101], [300]),
      remote: mostly(["192.0.2.1"], ["198.51.100.1"]),
    }),
    optional({
      mtu,
      mac,
      port: mostly([4789, 4790], [53]),
      parent: mostly(["eth0"], ["eth1"]),
    }),
  ),
  fc.tuple(
    fc.record({
      kind: fc.constant("vxlan"),
      name: fresh,
      vni: mostly([100, 101], [300]),
      local: mostly(["192.0.2.1"], ["192.0.2.9"]),
    }),
    optional({ mtu, port: mostly([4789, 4790], [53]), parent: mostly(["eth0"], ["eth1"]) }),
  ),
  fc.tuple(fc.record({ kind: fc.constantFrom("dummy", "ipvlan"), name }), optional({ netns: name })),
);

const call: fc.Arbitrary<Call> = fc.oneof(
  { weight: 4, arbitrary: link.map(([needed, more]): Call => ["createLink", { ...needed, ...more }]) },
  {
    weight: 4,
    arbitrary: fc
      .tuple(
        name,
        optional({
          up: fc.constantFrom(true, true, true, false),
          master: fc.oneof(bridge, fc.constant(null)),
          mtu,
          mac,
        }),
      )
      .map(([on, settings]): Call => ["setLink", on, settings]),
  },
  { weight: 1, arbitrary: name.map((on): Call => ["deleteLink", on]) },
  { weight: 3, arbitrary: fc.tuple(name, address).map(([on, ip]): Call => ["addAddress", on, ip]) },
  { weight: 1, arbitrary: fc.tuple(name, address).map(([on, ip]): Call => ["deleteAddress", on, ip]) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(
        fc.constantFrom("addRoute", "addRoute", "deleteRoute"),
        fc.record({ destination, dev: name }),
        optional({ via }),
      )
      .map(([op, needed, more]): Call => [op, { ...needed, ...more }]),
  },
  {
    weight: 5,
    arbitrary: fc
      .tuple(
        tunnel,
        fc.record({
          host,
          mac: mostly(REMOTE_MACS, ["01:00:5e:00:00:01"]),
          routes: fc.subarray([...REMOTE_ROUTES], { minLength: 1, maxLength: 2 }),
        }),
      )
      .map(([on, remote]): Call => ["setRemote", on, remote]),
  },
  { weight: 1, arbitrary: fc.tuple(tunnel, host).map(([on, one]): Call => ["removeRemote", on, one]) },
  { weight: 1, arbitrary: tunnel.map((on): Call => ["remotes", on]) },
  { weight: 1, arbitrary: fc.constant<Call>(["links"]) },
);

/** A few links up from the start, so that more of the calls have an effect. */
const START: readonly Call[] = [
  ["createLink", { kind: "bridge", name: "bh-a", mac: MACS[0] ?? "" }],
  ["createLink", { kind: "veth", name: "bh-b", peer: "bh-c" }],
  ["setLink", "bh-a", { up: true }],
  ["setLink", "bh-b", { up: true }],
  ["setLink", "bh-c", { up: true }],
  ["createLink", { kind: "vxlan", name: "bh-t", vni: 102, local: "192.0.2.1", parent: "eth0" }],
  ["setLink", "bh-t", { up: true }],
];

const LIMITS = {
  max: 8,
  parents: ["eth0", "eth1"],
  passthru: true,
  vniFrom: 100,
  vniTo: 199,
  remotes: ["192.0.2.0/24"],
  ports: [4789, 4790],
};

async function start(t: TestContext, kind: "kernel" | "model"): Promise<Bench> {
  const one = await bench(t, kind, LIMITS);
  await one.host(
    ...CARD,
    { op: "addAddress", name: "eth0", address: "10.64.5.2/24" },
    { op: "addAddress", name: "eth0", address: "192.0.2.1/24" },
    { op: "add", link: { kind: "bridge", name: "br0" } },
    { op: "add", link: { kind: "bridge", name: "bh-theirs" } },
  );
  for (const [method, ...args] of START) await one.ask(method, ...args);
  return one;
}

/** What became of a call, as far as the two can agree: numbers are the kernel's own, and so are addresses it makes up. */
async function outcome({ ask }: Bench, [method, ...args]: Call): Promise<unknown> {
  try {
    return told(await ask(method, ...args));
  } catch (error) {
    const { code, message } = error as Error & { code: string };
    return {
      code,
      rule: ruleOf(error as Error),
      words: code === "ERR_NETLINK_FAILED" ? (reasonOf(message) ?? message) : undefined,
    };
  }
}

function told(value: Json): unknown {
  if (Array.isArray(value)) return value.map(told);
  if (value === null) return null;
  if (typeof value === "object" && "complete" in value) return value;
  const { ifindex: _, counters: __, mac: made, ...rest } = value as unknown as LinkInfo;
  const given = rest.kind !== "bridge" && MACS.includes(made);
  return { ...rest, addresses: [...rest.addresses].sort(), mac: given ? made : "made up" };
}

async function routes({ backend }: Bench): Promise<readonly string[]> {
  const view = await backend.look({ routes: true });
  return view.routes
    .filter(({ dev, destination: to }) => dev?.startsWith("bh-") && /^(10\.6[4-9]\.|fd64:)/.test(to) && !isLocal(to))
    .map(({ destination: to, dev, via: by }) => `${to} ${by.join()} ${dev}`)
    .sort();
}

/** Entries of the local table: single addresses, which the model has no table for. */
function isLocal(to: string): boolean {
  return to.endsWith("/32") || to.endsWith("/128");
}

test(
  "random calls",
  async (t) => {
    let calls = 0;
    const reached = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(call, { minLength: 1, maxLength: 3 }), { minLength: 8, maxLength: 16 }),
        async (turns) => {
          const undos: Array<() => unknown> = [];
          const inner: TestContext = { cleanup: (undo) => undos.push(undo), folder: () => t.folder() };
          try {
            const both = [await start(inner, "kernel"), await start(inner, "model")] as const;
            for (const turn of turns) {
              const [kernel, model] = await Promise.all(
                both.map((one) => Promise.all(turn.map((each) => outcome(one, each)))),
              );
              calls += turn.length;
              for (const one of kernel ?? []) {
                const key =
                  one !== null && typeof one === "object" && "code" in one
                    ? String((one as { rule?: string; words?: string }).rule ?? (one as { words?: string }).words)
                    : "done";
                reached.set(key, (reached.get(key) ?? 0) + 1);
              }
              assert.equal(model, kernel, JSON.stringify(turn));
              const [seen, expected] = await Promise.all(both.map((one) => outcome(one, ["links"])));
              assert.equal(expected, seen, `links after ${JSON.stringify(turn)}`);
            }
            assert.equal(
              await routes(both[1]),
              await routes(both[0]),
              `routes at the end ${JSON.stringify([await routes(both[1]), await routes(both[0])])}`,
            );
          } finally {
            for (const undo of undos.reverse()) await undo();
          }
        },
      ),
      {
        numRuns: NETLINK_RUNS,
        interruptAfterTimeLimit: 60_000,
        reporter: (run) => {
          if (run.failed)
            throw new Error(`${run.seed} ${JSON.stringify(run.counterexample)}: ${String(run.errorInstance)}`, {
              cause: run.errorInstance,
            });
        },
        ...(process.env.NETLINK_SEED ? { seed: Number(process.env.NETLINK_SEED) } : {}),
      },
    );
    console.log(
      `${calls} calls: ${[...reached]
        .sort(([, a], [, b]) => b - a)
        .map(([key, count]) => `${key} ${count}`)
        .join(", ")}`,
    );
    assert.ok(calls >= 150, `${calls} calls`);
    assert.ok((reached.get("done") ?? 0) > calls / 10, "not only refusals");
  },
  { ms: 180_000, needs: noKernel },
);

test.run();
