/** What a store in this process remembers of the past: bounded, and nothing in it is told wrongly. */
import { type Change, rangeOf } from "#dist/permissions/cluster/backend.js";
import { CLUSTER } from "#dist/permissions/cluster/limits.js";
import { MemoryClusterStore } from "#dist/permissions/cluster/memory/memory-store.js";
import { Revisions } from "#dist/permissions/cluster/memory/revisions.js";
import { assert, rejection, suite, type TestContext } from "../../harness.js";
import { thrown } from "../../kit/host.js";

const test = suite("permissions/cluster/history");
const ALL = rangeOf("k/");

/** Resolves with the changes from a revision on, or with why there are none. */
function from(t: TestContext, store: MemoryClusterStore, revision: number): Promise<readonly Change[] | string> {
  return new Promise((resolve) => {
    t.cleanup(store.watch(ALL, revision, { changes: resolve, ended: resolve }));
  });
}

test("revisions beyond the bound are forgotten: a watch from one, and a read at one, find it gone", async (t) => {
  const store = new MemoryClusterStore();
  for (let n = 0; n <= CLUSTER.revisionsKept; n++) await store.commit([], [{ key: `k/${n % 7}`, text: String(n) }]);
  const { revision } = await store.read(ALL);
  assert.is(await from(t, store, 2), "compacted");
  assert.is((await rejection(store.read(ALL, { at: 2 }))).message, "that revision has been compacted");
  const [first] = (await from(t, store, revision - 10)) as readonly Change[];
  assert.is(first?.revision, revision - 10);
});

test("large values are forgotten sooner: what is kept of the past has a bound in characters", async (t) => {
  const store = new MemoryClusterStore();
  const text = "x".repeat(CLUSTER.valueBytes);
  const writes = Math.ceil(CLUSTER.historyChars / text.length);
  for (let n = 0; n <= writes; n++) await store.commit([], [{ key: "k/1", text }]);
  const { revision } = await store.read(ALL);
  assert.is(await from(t, store, 2), "compacted");
  assert.ok(Array.isArray(await from(t, store, revision)));
});

test("nothing is forgotten that was not told yet", () => {
  const revisions = new Revisions();
  for (let n = 0; n <= CLUSTER.revisionsKept; n++) revisions.write([{ key: "k/1", text: String(n) }]);
  revisions.trim(5);
  assert.is(revisions.since(5)?.[0]?.revision, 5);
  assert.is(revisions.since(4), undefined);
});

test("a watch from before the first write gets all of them; one from the next revision waits", () => {
  const revisions = new Revisions();
  for (const text of ["1", "2", "3"]) revisions.write([{ key: "k/1", text }]);
  const found = (first: number): unknown => revisions.since(first)?.map(({ revision }) => revision);
  assert.equal([found(1), found(2), found(4), found(5), found(9)], [[2, 3, 4], [2, 3, 4], [4], [], []]);
});

test("a list at an earlier revision is as it was, whatever was written, deleted and created since", () => {
  const revisions = new Revisions();
  revisions.write(["a", "b", "c"].map((key) => ({ key: `k/${key}`, text: key })));
  const at = revisions.revision;
  const before = revisions.read(ALL, { at });
  revisions.write([{ key: "k/b" }]);
  revisions.write([
    { key: "k/a", text: "other" },
    { key: "k/d", text: "d" },
  ]);
  revisions.write([{ key: "k/b", text: "again" }]);
  assert.equal({ ...revisions.read(ALL, { at }), revision: at }, before);
  assert.equal(
    revisions.read(ALL, { limit: 2, after: at }).entries.map(({ key }) => key),
    ["k/a", "k/b"],
  );
  assert.equal([revisions.read(ALL, { limit: 2, after: at }).more, revisions.read(ALL, { limit: 1 }).count], [true, 4]);
  assert.match(thrown(() => revisions.read(ALL, { at: at + 9 })).message, "yet to come");
});

test.run();
