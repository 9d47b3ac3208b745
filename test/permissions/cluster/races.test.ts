/** A write judges what it reads, and another host may write between any two of its steps. */
import { clusterDefaults } from "#dist/permissions/cluster/grant.js";
import { CLUSTER } from "#dist/permissions/cluster/limits.js";
import { MemoryClusterStore } from "#dist/permissions/cluster/memory/memory-store.js";
import { Space } from "#dist/permissions/cluster/space.js";
import { HostTime } from "#dist/permissions/host-time.js";
import { assert, rejection, suite } from "../../harness.js";
import { hostOn, keysOf, withMethods } from "./stores.js";

const test = suite("permissions/cluster/races");
const KEY = "bulkhead/keys/overlay/a";
const ACCOUNT = "bulkhead/accounts/overlay";

for (const [what, after] of [
  ["after the key was read, and before the account is", KEY],
  ["after the account was read", ACCOUNT],
] as const)
  test(`another host writes ${what}: its write is not lost, and the account is right`, async (t) => {
    const store = new MemoryClusterStore();
    const far = hostOn(t, { use: store }).open();
    const slow = withMethods(store);
    const near = hostOn(t, { use: slow }).open("overlay", { keys: 2 });
    const revision = (await far.ask("create", { key: "a", value: 1 })) as number;
    let done = (): void => {};
    const written = new Promise<void>((resolve) => {
      done = resolve;
    });
    let first = true;
    slow.read = async (range, options) => {
      if (range.from === ACCOUNT && after === KEY) await written;
      const found = await store.read(range, options);
      if (range.from !== after || !first) return found;
      first = false;
      await far.ask("compareAndSet", { key: "a", revision, value: "far" });
      done();
      return found;
    };
    assert.is(await near.ask("compareAndSet", { key: "a", revision, value: "near" }), null);
    assert.is(((await far.ask("get", { key: "a" })) as { text: string }).text, '"far"');
    const [account] = (await store.read({ from: ACCOUNT, to: `${ACCOUNT}\0` })).entries;
    assert.equal(JSON.parse(account?.text ?? ""), { keys: 1, bytes: 6 });
    assert.ok(await near.ask("create", { key: "b", value: 1 }));
    assert.match((await rejection(near.ask("create", { key: "c", value: 1 }))).message, /rule "keys"/);
  });

test("another host writes between two pages of a list: the list is as it was at its first page", async (t) => {
  const store = new MemoryClusterStore();
  const far = hostOn(t, { use: store }).open();
  for (const key of ["a", "b", "c"]) await far.ask("create", { key, value: 1 });
  const slow = withMethods(store);
  let pages = 0;
  slow.read = async (range, options) => {
    const found = await store.read(range, options);
    if (pages++ === 0) {
      await far.ask("delete", { key: "b" });
      await far.ask("create", { key: "d", value: 1 });
    }
    return found;
  };
  const near = hostOn(t, { use: slow }, { pageEntries: 1 }).open();
  const listed = await near.ask("list", { prefix: "" });
  assert.equal(keysOf(listed), ["a", "b", "c"]);
  assert.is(pages, 3);
});

test("the store is compacted between two pages of a list: it is read again", async (t) => {
  const store = new MemoryClusterStore();
  const far = hostOn(t, { use: store }).open();
  for (const key of ["a", "b", "c"]) await far.ask("create", { key, value: 1 });
  const slow = withMethods(store);
  let pages = 0;
  slow.read = async (range, options) => {
    const found = await store.read(range, options);
    if (pages++ === 0) {
      const revision = (await far.ask("create", { key: "d", value: 1 })) as number;
      store.compact(revision);
    }
    return found;
  };
  const listed = await hostOn(t, { use: slow }, { pageEntries: 1 }).open().ask("list", { prefix: "" });
  assert.equal(keysOf(listed), ["a", "b", "c", "d"]);
});

test("a list waits until its plugin may use the main thread, and gives up at its deadline", async (t) => {
  const store = new MemoryClusterStore();
  let reads = 0;
  const counted = {
    ...withMethods(store),
    read: (...given: Parameters<typeof store.read>) => {
      reads++;
      return store.read(...given);
    },
  };
  let allow = (): void => {};
  const allowed = new Promise<void>((resolve) => {
    allow = resolve;
  });
  const time = Object.assign(new HostTime(), { free: () => allowed });
  const limits = { ...clusterDefaults };
  const space = new Space({
    backend: counted,
    prefix: "p",
    plugin: "overlay",
    limits,
    figures: CLUSTER,
    time,
    warn() {},
  });
  t.cleanup(() => store.close());
  const listing = space.list("");
  await space.get("a");
  assert.is(reads, 1, "only the get has read");
  allow();
  assert.equal((await listing).entries, []);
  const late = await rejection(space.list("", performance.now() - 1));
  assert.is(late.code, "ERR_CLUSTER_FAILED");
});

test.run();
