/** The local store over a disk that is slow, full or failing: nobody sees what a power cut could take away. */
import { type Change, rangeOf, StoreError } from "#dist/permissions/cluster/backend.js";
import { LocalClusterStore } from "#dist/permissions/cluster/local/local-store.js";
import type { KeptKeys } from "#dist/permissions/cluster/memory/kept-keys.js";
import { assert, suite, type TestContext } from "../../harness.js";

const test = suite("permissions/cluster/local-disk");
const ALL = rangeOf("k/");

/** A disk whose flushes the test ends: `flush` all that wait, or `fail`. */
function disk(): KeptKeys & { flush(): void; fail(): void; full: boolean } {
  let waiting: { readonly resolve: () => void; readonly reject: (error: Error) => void }[] = [];
  const wait = (): Promise<void> => new Promise((resolve, reject) => waiting.push({ resolve, reject }));
  const end = (how: (one: (typeof waiting)[number]) => void): void => {
    const all = waiting;
    waiting = [];
    for (const one of all) how(one);
  };
  return {
    full: false,
    load: async () => ({ keys: [], revision: 0 }),
    admit() {
      if (this.full) throw new Error("the data folder is full; free some space");
    },
    write: wait,
    settle: wait,
    flush: () => end(({ resolve }) => resolve()),
    fail: () => end(({ reject }) => reject(new Error("the disk fails"))),
  };
}

/** What became of a request so far. */
function outcome<T>(request: Promise<T>): { value?: T; error?: unknown; settled: Promise<void> } {
  const seen: { value?: T; error?: unknown; settled: Promise<void> } = {
    settled: request.then(
      (value) => void Object.assign(seen, { value }),
      (error: unknown) => void Object.assign(seen, { error }),
    ),
  };
  return seen;
}

/** As long as a read takes in which nothing waits for the disk. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
}

function watched(t: TestContext, store: LocalClusterStore): readonly Change[] {
  const told: Change[] = [];
  t.cleanup(store.watch(ALL, 1, { changes: (all) => void told.push(...all), ended() {} }));
  return told;
}

test("no write, read, refusal or event before the disk has it", async (t) => {
  const kept = disk();
  const store = new LocalClusterStore(kept);
  const told = watched(t, store);
  const created = outcome(store.commit([{ key: "k/a", revision: 0 }], [{ key: "k/a", text: "1" }]));
  await turns();
  const seen = [
    outcome(store.read(ALL)),
    outcome(store.commit([{ key: "k/a", revision: 0 }], [{ key: "k/a", text: "2" }])),
  ] as const;
  await turns();
  assert.equal(
    [created, ...seen].map(({ value, error }) => value ?? error),
    [undefined, undefined, undefined],
  );
  assert.equal(told, []);
  kept.flush();
  await Promise.all([created, ...seen].map(({ settled }) => settled));
  assert.equal(created.value, { done: true, revision: 2 });
  assert.equal(seen[0].value?.entries, [{ key: "k/a", text: "1", revision: 2 }]);
  assert.equal(seen[1].value, { done: false, revision: 2 });
  assert.equal(told, [{ key: "k/a", text: "1", revision: 2, created: true }]);
});

test("a write that the disk refuses has an unknown outcome; reads fail until it is kept, and then tell it", async (t) => {
  const kept = disk();
  const store = new LocalClusterStore(kept);
  const told = watched(t, store);
  const created = outcome(store.commit([], [{ key: "k/a", text: "1" }]));
  await turns();
  kept.fail();
  await created.settled;
  assert.ok(created.error instanceof StoreError && created.error.unknown);
  const failing = outcome(store.read(ALL));
  await turns();
  kept.fail();
  await failing.settled;
  assert.ok(failing.error instanceof StoreError && !failing.error.unknown);
  assert.match(failing.error.message, "the disk fails");
  assert.equal(told, []);
  const reading = outcome(store.read(ALL));
  await turns();
  kept.flush();
  await reading.settled;
  assert.is(reading.value?.count, 1);
  assert.is(told.length, 1);
});

test("a full disk refuses new values before anything is written, and takes deletions", async () => {
  const kept = disk();
  const store = new LocalClusterStore(kept);
  const created = outcome(store.commit([], [{ key: "k/a", text: "1" }]));
  await turns();
  kept.flush();
  await created.settled;
  kept.full = true;
  const refused = outcome(store.commit([], [{ key: "k/b", text: "1" }]));
  await refused.settled;
  assert.ok(refused.error instanceof StoreError && !refused.error.unknown);
  assert.match(refused.error.message, "free some space");
  const deleted = outcome(store.commit([], [{ key: "k/a" }, { key: "k/account", text: "0" }]));
  await turns();
  kept.flush();
  await deleted.settled;
  assert.is(deleted.value?.done, true);
});

test.run();
