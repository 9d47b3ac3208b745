/** Crashes, restarts and sandboxes: ledger, marks and links agree afterwards, on both backends. */
import { execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import type { Json } from "#dist/driverapi/json.js";
import { MemoryLedger } from "#dist/permissions/ledger.js";
import type { NetlinkBackend } from "#dist/permissions/netlink/backend.js";
import { createNetlinkHub } from "#dist/permissions/netlink/hub.js";
import { type LedgerChange, type LedgerRow, markOf, type NetlinkLedger } from "#dist/permissions/netlink/ledger.js";
import type { LinkInfo } from "#dist/permissions/netlink/link-spec.js";
import { NETWORKS } from "../../amounts.js";
import { assert, rejection, suite, type TestContext } from "../../harness.js";
import { SILENT } from "../../kit/logger.js";
import { type Asked, bench, LIMITS_FOR_TESTS, noKernel, onBoth } from "./backends.js";

const test = suite("permissions/netlink/recovery");

/** A ledger that outlives its hub, and a host that crashes at its n-th write. */
class DurableLedger implements NetlinkLedger {
  readonly id = `d-${randomBytes(4).toString("hex")}`;
  readonly durable = true;
  readonly rows = new Map<string, LedgerRow>();
  /** Writes until the crash: that one and all later ones are lost. */
  crashAt = Number.POSITIVE_INFINITY;
  writes = 0;

  async load(): Promise<readonly LedgerRow[]> {
    return [...this.rows.values()];
  }

  async write(changes: readonly LedgerChange[]): Promise<void> {
    this.writes++;
    if (this.writes >= this.crashAt) throw new Error("the host has crashed");
    for (const change of changes) {
      if ("put" in change) this.rows.set(change.put.name, change.put);
      else this.rows.delete(change.drop);
    }
  }
}

function hubOn(t: TestContext, backend: NetlinkBackend, ledger: NetlinkLedger) {
  const hub = createNetlinkHub({ use: backend, logger: SILENT, resolvers: () => [], ledger });
  t.cleanup(() => hub.close());
  const power = hub.open("bridge", LIMITS_FOR_TESTS);
  const ask: Asked = async (method, ...args) => power.methods?.get(`netlink.${method}`)?.(args) as Promise<Json>;
  return { hub, ask };
}

const names = async (backend: NetlinkBackend): Promise<readonly string[]> =>
  [...(await backend.look()).links.keys()].filter((name) => name !== "lo").sort();

onBoth(test, "a link is in the ledger before it is made, marked, and numbered", async (t, kind) => {
  const { backend } = await bench(t, kind);
  const ledger = new DurableLedger();
  const seen: string[] = [];
  const watched = new Proxy(backend, {
    get: (target, key) => {
      if (key === "apply")
        seen.push(
          `apply with ${[...ledger.rows.values()].map(({ name, ifindex }) => `${name}:${ifindex === undefined ? "intent" : "made"}`)}`,
        );
      const value = Reflect.get(target, key, target) as unknown;
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  const { ask, hub } = hubOn(t, watched, ledger);
  const made = (await ask("createLink", { kind: "veth", name: "bh-v", peer: "bh-w" })) as unknown as LinkInfo;
  assert.equal(seen, ["apply with bh-v:intent,bh-w:intent"]);
  assert.is(ledger.rows.get("bh-v")?.ifindex, made.ifindex);
  const { links } = await backend.look();
  assert.is(links.get("bh-v")?.alias, markOf(ledger.id, "bridge", "bh-v"));
  assert.is(links.get("bh-w")?.alias, markOf(ledger.id, "bridge", "bh-w"));
  assert.ok(hub.owns("bridge", "bh-w"));
  assert.not(hub.owns("other", "bh-w"));
  assert.not(hub.owns("bridge", "bh-none"));
});

onBoth(
  test,
  "a host that crashes at any write finds the same again, or nothing, and the next call works",
  async (t, kind) => {
    const { backend } = await bench(t, kind);
    const script: ReadonlyArray<readonly [string, ...Json[]]> = [
      ["createLink", { kind: "bridge", name: "bh-b" }],
      ["createLink", { kind: "veth", name: "bh-v", peer: "bh-w" }],
      ["setLink", "bh-v", { master: "bh-b", up: true }],
      ["deleteLink", "bh-v"],
      ["deleteLink", "bh-b"],
    ];
    const rehearsal = new DurableLedger();
    const first = hubOn(t, backend, rehearsal);
    for (const [method, ...args] of script) await first.ask(method, ...args);
    assert.ok(rehearsal.writes >= 6, `${rehearsal.writes} writes`);

    for (let crashAt = 1; crashAt <= rehearsal.writes; crashAt++) {
      const ledger = new DurableLedger();
      ledger.crashAt = crashAt;
      const before = hubOn(t, backend, ledger);
      for (const [method, ...args] of script) {
        try {
          await before.ask(method, ...args);
        } catch {
          break;
        }
      }
      ledger.crashAt = Number.POSITIVE_INFINITY;
      const after = hubOn(t, backend, ledger);
      const told = ((await after.ask("links")) as unknown as LinkInfo[]).map(({ name }) => name);
      assert.equal(told, await names(backend), `after a crash at write ${crashAt}: own and there`);
      assert.equal(told, [...ledger.rows.keys()].sort(), `after a crash at write ${crashAt}: own and in the ledger`);
      // A replay asks for the same again.
      for (const [method, ...args] of script) await after.ask(method, ...args);
      assert.equal(await names(backend), []);
      assert.is(ledger.rows.size, 0);
    }
  },
);

onBoth(
  test,
  "a link without a mark is taken for one's own only if it was intended, and of the kind",
  async (t, kind) => {
    const { backend, host } = await bench(t, kind);
    const ledger = new DurableLedger();
    const intent = (name: string): LedgerRow => ({ plugin: "bridge", name, spec: { kind: "bridge", name } });
    await ledger.write([{ put: intent("bh-a") }, { put: intent("bh-b") }, { put: intent("bh-c") }]);
    await host(
      { op: "add", link: { kind: "bridge", name: "bh-a" } },
      { op: "add", link: { kind: "veth", name: "bh-b", peer: "bh-p" } },
      { op: "add", link: { kind: "bridge", name: "bh-d" } },
    );
    const { ask } = hubOn(t, backend, ledger);
    assert.equal(await ask("links"), []);
    assert.equal(await names(backend), ["bh-b", "bh-d", "bh-p"]);
  },
);

onBoth(test, "orphans with this ledger's mark go; another living host's stay, also under one name", async (t, kind) => {
  const { backend, host } = await bench(t, kind);
  const ledger = new DurableLedger();
  const other = new MemoryLedger<LedgerRow>();
  const gone = `m-${other.id.split("-")[1]}-4194305-1-00000000`;
  for (const [name, mark] of [
    ["bh-mine", ledger.id],
    ["ot-theirs", other.id],
    ["ot-gone", gone],
    ["ot-durable", "d-elsewhere"],
  ] as const) {
    await host(
      { op: "add", link: { kind: "bridge", name } },
      { op: "alias", name, alias: markOf(mark, "bridge", name) },
    );
  }
  const { hub } = hubOn(t, backend, ledger);
  await hub.reconcile();
  assert.equal(await names(backend), ["ot-durable", "ot-theirs"]);
});

onBoth(test, "a link that was deleted and made again by somebody else is not one's own any more", async (t, kind) => {
  const { backend, ask, host, hub } = await bench(t, kind);
  await ask("createLink", { kind: "bridge", name: "bh-b" });
  await host({ op: "delete", name: "bh-b" }, { op: "add", link: { kind: "bridge", name: "bh-b" } });
  assert.is((await rejection(ask("setLink", "bh-b", { up: true }))).code, "ERR_NETLINK_REFUSED");
  assert.equal(await ask("links"), []);
  await hub.close();
  assert.equal(await names(backend), ["bh-b"]);
});

/** A namespace for a sandbox; of a model, one of the same world. */
function sandbox(
  t: TestContext,
  kind: "kernel" | "model",
  backend: NetlinkBackend,
): { netns: string; inside: NetlinkBackend } {
  const netns = `bht-${randomBytes(4).toString("hex")}`;
  if (kind === "kernel") {
    execFileSync("ip", ["netns", "add", netns]);
    t.cleanup(() => execFileSync("ip", ["netns", "delete", netns]));
  }
  return { netns, inside: backend.elsewhere(netns) };
}

onBoth(
  test,
  "a veth whose end is in a sandbox: told of, adopted again, deleted through the end that stayed",
  async (t, kind) => {
    const { backend, ask, hub, host } = await bench(t, kind);
    const { netns, inside } = sandbox(t, kind, backend);
    const spec = { kind: "veth", name: "bh-v", peer: "bh-w" };
    await ask("createLink", spec);
    await hub.moved("bh-w", `/run/netns/${netns}`);
    await host({ op: "move", name: "bh-w", netns });
    await inside.apply([[{ change: { op: "rename", name: "bh-w", to: "eth0" } }]]);
    const [stayed, away] = (await ask("links")) as unknown as [LinkInfo, LinkInfo];
    assert.equal(
      [stayed.name, stayed.inSandbox, away.name, away.inSandbox, away.kind],
      ["bh-v", undefined, "bh-w", true, "veth"],
    );
    assert.ok(hub.owns("bridge", "bh-w"));
    assert.is(((await ask("createLink", spec)) as unknown as LinkInfo).ifindex, stayed.ifindex);
    await ask("deleteLink", "bh-w");
    assert.equal(await names(backend), []);
    assert.equal(await names(inside), []);
    assert.equal(await ask("links"), []);
  },
);

onBoth(test, "a link that is all in a sandbox is found there by its mark, whatever its name", async (t, kind) => {
  const { backend, ask, hub, host, open } = await bench(t, kind);
  const { netns, inside } = sandbox(t, kind, backend);
  await ask("createLink", { kind: "veth", name: "bh-v", peer: "bh-w" });
  for (const [name, to] of [
    ["bh-v", "eth0"],
    ["bh-w", "eth1"],
  ] as const) {
    await hub.moved(name, netns);
    await host({ op: "move", name, netns });
    await inside.apply([[{ change: { op: "rename", name, to } }]]);
  }
  assert.equal(await names(inside), ["eth0", "eth1"]);
  await open("other", { prefix: "ot" })("links");
  await hub.release("other");
  assert.equal(await names(inside), ["eth0", "eth1"]);
  await hub.release("bridge");
  assert.equal(await names(inside), []);
});

onBoth(
  test,
  "an end of a veth that somebody has moved, unsaid, is one's own again when it is back",
  async (t, kind) => {
    const { backend, ask, host, netns: home } = await bench(t, kind);
    const { netns, inside } = sandbox(t, kind, backend);
    const spec = { kind: "veth", name: "bh-v", peer: "bh-w", peerMac: "02:42:0a:40:00:02" };
    await ask("createLink", spec);
    await host({ op: "move", name: "bh-w", netns });
    assert.is(((await ask("links")) as unknown as LinkInfo[]).length, 1);
    await inside.apply([[{ change: { op: "move", name: "bh-w", netns: home } }]]);
    assert.is(((await ask("createLink", spec)) as unknown as LinkInfo).name, "bh-v");
    assert.is(((await ask("links")) as unknown as LinkInfo[]).length, 2);
    await ask("deleteLink", "bh-w");
    assert.equal(await names(backend), []);
    assert.equal(await ask("links"), []);
  },
);

onBoth(test, "a link that is about to be moved is not taken for one that is back", async (t, kind) => {
  const { backend, ask, hub, host } = await bench(t, kind);
  const { netns } = sandbox(t, kind, backend);
  await ask("createLink", { kind: "veth", name: "bh-v", peer: "bh-w" });
  await hub.moved("bh-w", netns);
  await hub.allReturned("bridge", () => new Set(["bh-w"]));
  await host({ op: "move", name: "bh-w", netns });
  const away = ((await ask("links")) as unknown as LinkInfo[]).find(({ name }) => name === "bh-w");
  assert.is(away?.inSandbox, true);
  await ask("deleteLink", "bh-v");
});

onBoth(test, "a move that was noted and did not happen is taken back at the next start", async (t, kind) => {
  const { backend } = await bench(t, kind);
  const ledger = new DurableLedger();
  const first = hubOn(t, backend, ledger);
  await first.ask("createLink", { kind: "bridge", name: "bh-b" });
  await first.hub.moved("bh-b", "bht-nowhere");
  const { ask } = hubOn(t, backend, ledger);
  assert.is(((await ask("links")) as unknown as LinkInfo[])[0]?.inSandbox, undefined);
  await ask("deleteLink", "bh-b");
});

onBoth(
  test,
  "close() removes what was made, release() one plugin's; with a durable ledger all of it stays",
  async (t, kind) => {
    const { backend, ask, open, hub } = await bench(t, kind);
    const other = open("other", { prefix: "ot" });
    await Promise.all([
      ask("createLink", { kind: "veth", name: "bh-v", peer: "bh-w" }),
      other("createLink", { kind: "bridge", name: "ot-b" }),
    ]);
    await hub.release("bridge");
    assert.equal(await names(backend), ["ot-b"]);
    const durable = hubOn(t, backend, new DurableLedger());
    await durable.ask("createLink", { kind: "bridge", name: "bh-b" });
    await durable.hub.close();
    await hub.close();
    await hub.close();
    assert.equal(await names(backend), ["bh-b"]);
    assert.match((await rejection(ask("links"))).message, /closing/);
  },
);

onBoth(
  test,
  `${NETWORKS} networks of 20 endpoints, all at once: no error, few runs, nothing left`,
  async (t, kind) => {
    const { ask, hub, backend } = await bench(t, kind, { max: 4096 });
    const began = hub.invocations;
    const each = (count: number, work: (i: number) => Promise<unknown>): Promise<unknown[]> =>
      Promise.all(Array.from({ length: count }, (_, i) => work(i)));
    await each(NETWORKS, async (n) => {
      await ask("createLink", { kind: "bridge", name: `bh-b${n}`, mtu: 1500 });
      await ask("addAddress", `bh-b${n}`, `10.64.${n}.1/24`);
      await ask("setLink", `bh-b${n}`, { up: true });
      await each(20, async (e) => {
        await ask("createLink", { kind: "veth", name: `bh-v${n}x${e}`, peer: `bh-w${n}x${e}` });
        await ask("setLink", `bh-v${n}x${e}`, { master: `bh-b${n}`, up: true });
      });
    });
    assert.is((await names(backend)).length, NETWORKS * 41);
    const made = hub.invocations - began;
    await each(NETWORKS, async (n) => {
      await each(20, (e) => ask("deleteLink", `bh-v${n}x${e}`));
      await ask("deleteLink", `bh-b${n}`);
    });
    console.log(
      `${kind}: ${made} runs of ip to make ${NETWORKS * 21} links, ${hub.invocations - began - made} to delete them`,
    );
    assert.equal(await names(backend), []);
    const [runs, requests] = [hub.invocations - began, NETWORKS * 64];
    assert.ok(runs < requests / 8, `${runs} runs for ${requests} requests`);
  },
  120_000,
);

test(
  "kernel: what a process leaves behind that is killed, the next one removes",
  async (t) => {
    const { netns, backend } = await bench(t, "kernel");
    const code = `
      import { createNetlinkHub } from "#dist/permissions/netlink/hub.js";
      const hub = createNetlinkHub({ backend: "kernel", netns: ${JSON.stringify(netns)}, logger: { info() {}, warn() {}, error() {} } });
      const power = hub.open("bridge", ${JSON.stringify(LIMITS_FOR_TESTS)});
      await power.methods.get("netlink.createLink")([{ kind: "veth", name: "bh-v", peer: "bh-w" }]);
      process.stdout.write("made");
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", code], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    t.cleanup(() => child.kill("SIGKILL"));
    await once(child.stdout, "data");
    const { hub: second } = hubOn(t, backend, new MemoryLedger<LedgerRow>());
    await second.reconcile();
    assert.equal(await names(backend), ["bh-v", "bh-w"], "while it lives they stay");
    child.kill("SIGKILL");
    await once(child, "exit");
    const { hub: third } = hubOn(t, backend, new MemoryLedger<LedgerRow>());
    await third.reconcile();
    assert.equal(await names(backend), []);
  },
  { needs: noKernel },
);

test.run();
