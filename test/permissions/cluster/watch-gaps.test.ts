/** A watch has no silent hole: what was missed comes as a list, and silence without proof is told. */

import type { Json } from "#dist/driverapi/json.js";
import type { Change, WatchSink } from "#dist/permissions/cluster/backend.js";
import { CLUSTER } from "#dist/permissions/cluster/limits.js";
import { MemoryClusterStore } from "#dist/permissions/cluster/memory/memory-store.js";
import { Space } from "#dist/permissions/cluster/space.js";
import { Watches } from "#dist/permissions/cluster/watches.js";
import { HostTime } from "#dist/permissions/host-time.js";
import { assert, rejection, suite } from "../../harness.js";
import { hostOn, listener, onEach, withMethods } from "./stores.js";

const test = suite("permissions/cluster/watch-gaps");
const QUICK = { checkMs: 200, recheckMs: 50, staleMs: 1_500, reopenMs: 20, reopenMaxMs: 200 };

onEach(test, "a revision that is compacted: a list instead of the events", async (t, store) => {
  const { ask, power } = store.host(QUICK).open();
  const first = (await ask("create", { key: "a", value: 1 })) as number;
  await ask("compareAndSet", { key: "a", revision: first, value: 2 });
  await store.compact();
  const heard = listener(t, { ask, power });
  await heard.watch("", first);
  const listed = await heard.next();
  assert.is(listed.type, "resync");
  assert.equal((listed.entries as { text: string }[])[0]?.text, "2");
});

onEach(test, "a revision that is yet to come: a list, and no wait for it", async (t, store) => {
  const { ask, power } = store.host(QUICK).open();
  const first = (await ask("create", { key: "a", value: 1 })) as number;
  const heard = listener(t, { ask, power });
  await heard.watch("", first + 1_000);
  assert.is((await heard.next()).type, "resync");
  await ask("create", { key: "b", value: 1 });
  assert.is((await heard.next()).key, "b");
});

onEach(test, "silence is proved to be no change", async (t, store) => {
  const { ask, power } = store.host(QUICK).open();
  const revision = (await ask("create", { key: "a", value: 1 })) as number;
  const heard = listener(t, { ask, power });
  await heard.watch("");
  for (let checks = 0; checks < 3; checks++) assert.ok(((await heard.next("progress")).revision as number) >= revision);
});

/** A store in memory whose watches lose changes that `loses` returns true for. */
function lossy(loses: (change: Change) => boolean): MemoryClusterStore {
  const store = new MemoryClusterStore();
  const inner = store.watch.bind(store);
  store.watch = (range, from, sink: WatchSink) =>
    inner(range, from, {
      changes: (changes) => {
        const left = changes.filter((change) => !loses(change));
        if (left.length > 0) sink.changes(left);
      },
      ended: (why, words) => sink.ended(why, words),
    });
  return store;
}

for (const [what, loses, act, after] of [
  ["a write", (change: Change) => change.text === "2", "set", ['"a"', "2"]],
  ["a deletion", (change: Change) => change.text === undefined, "delete", []],
] as const) {
  test(`a watch that loses ${what} is found out: a list`, async (t) => {
    const host = hostOn(t, { use: lossy(loses) }, QUICK);
    const { ask, power } = host.open();
    const revision = (await ask("create", { key: "a", value: 1 })) as number;
    const heard = listener(t, { ask, power });
    await heard.watch("");
    await heard.next();
    if (act === "set") await ask("compareAndSet", { key: "a", revision, value: 2 });
    else await ask("delete", { key: "a" });
    const listed = await heard.next();
    assert.is(listed.type, "resync");
    assert.is((listed.entries as unknown[]).length, after.length / 2);
    assert.ok(host.log.some(({ text }) => text.includes("missed changes")));
  });
}

test("a store that tells a change twice: the plugin hears it once, and nothing seems to be missing", async (t) => {
  const store = new MemoryClusterStore();
  const inner = store.watch.bind(store);
  store.watch = (range, from, sink: WatchSink) =>
    inner(range, from, {
      changes: (changes) => {
        sink.changes(changes);
        sink.changes(changes);
      },
      ended: (why, words) => sink.ended(why, words),
    });
  const { ask, power } = hostOn(t, { use: store }, QUICK).open();
  const heard = listener(t, { ask, power });
  await heard.watch("");
  await heard.next();
  await ask("create", { key: "a", value: 1 });
  await ask("create", { key: "b", value: 1 });
  assert.equal([(await heard.next()).key, (await heard.next()).key], ["a", "b"]);
  for (let checks = 0; checks < 3; checks++) await heard.next("progress");
  assert.equal(
    heard.left.filter(({ type }) => type !== "stale"),
    [],
  );
});

test("a slow worker: one list instead of more events than may wait", async (t) => {
  const store = new MemoryClusterStore();
  const { ask, power } = hostOn(t, { use: store }, { ...QUICK, queuedEvents: 8 }).open();
  const heard = listener(t, { ask, power });
  await ask("watch", { worker: heard.worker, id: 1, prefix: "" });
  for (let n = 0; n < 40; n++) await ask("create", { key: `k${n}`, value: n });
  // The worker asks only now.
  await heard.watch("", undefined, 2);
  for (;;) {
    const event = await heard.next();
    if (event.watch !== 1) continue;
    assert.is(event.type, "resync");
    assert.is((event.entries as unknown[]).length, 40);
    break;
  }
  await ask("create", { key: "later", value: 1 });
  for (;;) {
    const event = await heard.next();
    if (event.watch !== 1) continue;
    assert.equal([event.type, event.key], ["put", "later"]);
    break;
  }
});

test("a flood on one watch does not keep another's events back", async (t) => {
  const figures = { ...QUICK, batchEvents: 1, checkMs: 60_000, staleMs: 60_000 };
  const { ask } = hostOn(t, { use: new MemoryClusterStore() }, figures).open();
  const poll = async (): Promise<Json | undefined> => {
    const [event] = (await ask("next", "w", true)) as readonly Record<string, Json>[];
    return event?.watch;
  };
  await ask("watch", { worker: "w", id: 1, prefix: "flood/" });
  await ask("watch", { worker: "w", id: 2, prefix: "quiet/" });
  const listed = new Set<Json | undefined>();
  while (listed.size < 2) listed.add(await poll());
  for (let n = 0; n < 30; n++) await ask("create", { key: `flood/${n}`, value: n });
  await ask("create", { key: "quiet/a", value: 1 });
  assert.ok([await poll(), await poll(), await poll()].includes(2));
});

test("a worker that asks for events keeps its watches, however many others come and go", async (t) => {
  const { ask, power } = hostOn(t, { use: new MemoryClusterStore() }, { ...QUICK, pollMs: 50 }).open();
  const heard = listener(t, { ask, power });
  await heard.watch("");
  await heard.next();
  for (const worker of ["b", "c", "d"]) {
    await heard.next("progress");
    await ask("watch", { worker, id: 1, prefix: "" });
  }
  await ask("create", { key: "a", value: 1 });
  assert.is((await heard.next()).key, "a");
});

test("a worker whose watches have ended is told so when it asks for events", async (t) => {
  const { ask } = hostOn(t, { use: new MemoryClusterStore() }, QUICK).open();
  for (const worker of ["one", "two", "three"]) await ask("watch", { worker, id: 1, prefix: "" });
  assert.is((await rejection(ask("next", "one", true))).code, "ERR_CLUSTER_FAILED");
  assert.ok(await ask("next", "three", true));
});

test("lists that wait for a worker do not add up: one after another comes when it asks", async (t) => {
  const store = new MemoryClusterStore();
  const { ask, power } = hostOn(t, { use: store }, { ...QUICK, queuedChars: 30_000 }).open("overlay", { watches: 8 });
  for (let n = 0; n < 4; n++) await ask("create", { key: `k${n}`, value: "x".repeat(10_000) });
  const heard = listener(t, { ask, power });
  for (let id = 1; id < 8; id++) await ask("watch", { worker: heard.worker, id, prefix: "" });
  await heard.watch("none", undefined, 8);
  const got = new Set<Json | undefined>();
  while (got.size < 8) got.add((await heard.next("resync")).watch);
});

test("what waits for a worker that does not ask is bounded", async (t) => {
  const backend = new MemoryClusterStore();
  const figures = { ...CLUSTER, ...QUICK, queuedChars: 30_000 };
  const time = new HostTime();
  const limits = { bytes: 1_000_000, keys: 100, watches: 8, requestsPerSecond: 1_000 };
  const space = new Space({ backend, prefix: "p", plugin: "overlay", limits, figures, time, warn() {} });
  const watches = new Watches({ space, figures, warn() {}, stale() {} });
  t.cleanup(() => watches.close());
  for (let n = 0; n < 4; n++) await space.create(`k${n}`, `"${"x".repeat(10_000)}"`, performance.now() + 5_000);
  for (let id = 1; id <= 8; id++) watches.add("w", id, "", undefined);
  // Lists are made one after another: those of the watches come before this one.
  await space.list("");
  await space.list("");
  assert.ok(watches.waitingChars("w") > 0);
  assert.ok(watches.waitingChars("w") < 50_000, String(watches.waitingChars("w")));
});

test("a former worker's watches end when a third one comes", async (t) => {
  const { ask } = hostOn(t, { use: new MemoryClusterStore() }, QUICK).open("overlay", { watches: 1 });
  for (const worker of ["one", "two", "three"]) await ask("watch", { worker, id: 1, prefix: "" });
  // The first one's number is free again.
  await ask("watch", { worker: "one", id: 1, prefix: "" });
});

test("a store that goes back under an open watch, as behind a load balancer: a list, and a line in the log", async (t) => {
  const store = new MemoryClusterStore();
  const other = new MemoryClusterStore();
  const behind = withMethods(store);
  const host = hostOn(t, { use: behind }, QUICK);
  const { ask, power } = host.open();
  for (let n = 0; n < 5; n++) await ask("create", { key: `k${n}`, value: n });
  const heard = listener(t, { ask, power });
  await heard.watch("");
  await heard.next();
  behind.read = (range, options) => other.read(range, options);
  const listed = await heard.next();
  assert.equal([listed.type, listed.entries], ["resync", []]);
  assert.ok(host.log.some(({ text }) => text.includes("gone back")));
});

test("a store whose methods fail: stale, and a list when it works again", async (t) => {
  const store = new MemoryClusterStore();
  const broken = withMethods(store);
  const host = hostOn(t, { use: broken }, QUICK);
  const { ask, power } = host.open();
  const heard = listener(t, { ask, power });
  const read = broken.read;
  broken.read = async () => {
    throw new Error("no");
  };
  await heard.watch("");
  await heard.next("stale");
  broken.read = read;
  assert.is((await heard.next()).type, "resync");
});

test.run();
