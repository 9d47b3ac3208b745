/** The local store after its host has started again: keys, watches from a revision, leases, and rows that are damaged. */
import type { Change } from "#dist/permissions/cluster/backend.js";
import { rangeOf } from "#dist/permissions/cluster/backend.js";
import { LocalClusterStore } from "#dist/permissions/cluster/local/local-store.js";
import { ClusterKeys } from "#dist/storage/cluster-keys.js";
import { statePaths } from "#dist/storage/paths.js";
import { StateFile } from "#dist/storage/state-file.js";
import { assert, rejection, suite, type TestContext, until } from "../../harness.js";
import { house, told } from "../../kit/host.js";
import { telling } from "../../kit/plugins.js";
import { SimulatedDisk } from "../../storage/simulated-disk.js";
import { hostOn, listener, type TestHost } from "./stores.js";

const test = suite("permissions/cluster/local-restart");

interface Run {
  readonly store: LocalClusterStore;
  readonly state: StateFile;
  readonly host: TestHost;
}

/** Opens the store of a disk, as a host does that starts. */
async function open(t: TestContext, disk: SimulatedDisk): Promise<Run> {
  const state = await StateFile.open(statePaths("/simulated"), "boot", disk);
  t.cleanup(() => state.close());
  const store = new LocalClusterStore(new ClusterKeys(state));
  return { store, state, host: hostOn(t, { use: store }) };
}

test("a watch from the revision behind the last one goes on without a list; an earlier one gets resync", async (t) => {
  const disk = new SimulatedDisk();
  const before = await open(t, disk);
  const power = before.host.open();
  const first = (await power.ask("create", { key: "a", value: 1 })) as number;
  const second = (await power.ask("compareAndSet", { key: "a", revision: first, value: 2 })) as number;
  await before.state.close();
  const { ask, power: opened } = (await open(t, disk)).host.open();
  const next = listener(t, { ask, power: opened });
  await next.watch("", second + 1, 1);
  await next.watch("", first, 2);
  const listed = await next.next("resync");
  assert.equal([listed.watch, listed.entries], [2, [{ key: "a", text: "2", revision: second }]]);
  const third = (await ask("create", { key: "b", value: 3 })) as number;
  assert.ok(third > second);
  const heard = [await next.next("put"), await next.next("put")];
  assert.equal(heard.map(({ watch, key, revision }) => [watch, key, revision]).sort(), [
    [1, "b", third],
    [2, "b", third],
  ]);
});

test("revisions do not go back, also if what was written last is deleted", async (t) => {
  const disk = new SimulatedDisk();
  const before = await open(t, disk);
  await before.store.commit([], [{ key: "k/a", text: "1" }]);
  const { revision } = await before.store.commit([], [{ key: "k/a" }]);
  await before.state.close();
  const { store } = await open(t, disk);
  assert.is((await store.read(rangeOf("k/"))).revision, revision);
  assert.is((await store.commit([], [{ key: "k/a", text: "2" }])).revision, revision + 1);
});

test("the keys of leases end with the host that held them, and a watch that goes on is told", async (t) => {
  const disk = new SimulatedDisk();
  const before = await open(t, disk);
  const { ask } = before.host.open();
  const key = (await ask("lease", { worker: "w", name: "host-1", value: null })) as string;
  const { revision } = await before.store.read(rangeOf("bulkhead/"));
  // As after SIGKILL: nothing is ended in order.
  await before.state.close();
  const after = await open(t, disk);
  const told: Change[] = [];
  t.cleanup(
    after.store.watch(rangeOf("bulkhead/"), revision + 1, { changes: (all) => void told.push(...all), ended() {} }),
  );
  await until(() => told.length > 0, "the deletion");
  assert.equal(told, [
    { key: `bulkhead/keys/overlay/${key}`, text: undefined, revision: revision + 1, created: false },
  ]);
});

test("rows that no store has written fail every request, and name the folder and what to do", async (t) => {
  for (const [key, body] of [
    ["bulkhead/keys/overlay/a", '[1,"1"]'],
    ["bulkhead/keys/overlay/a", '[0,"1",false]'],
    ["bulkhead/keys/overlay/a", '[1.5,"1",false]'],
    ["bulkhead/keys/overlay/a", "{"],
    // Of a later revision than the last.
    ["bulkhead/keys/overlay/a", '[9,"1",false]'],
  ] as const) {
    const { state, host } = await open(t, new SimulatedDisk());
    await state.put("cluster", key, body);
    const error = await rejection(host.open().ask("get", { key: "a" }));
    assert.is(error.code, "ERR_CLUSTER_FAILED");
    assert.match(error.message, /table cluster .*bulkhead state --data-dir \/simulated --recover/);
  }
});

test("a plugin finds its keys when the host has started again", async (t) => {
  const text = telling(
    "overlay",
    '[await powers.cluster.create("a", 1) !== null, (await powers.cluster.get("a")).value]',
  );
  const manifest = { name: "overlay", main: "index.js", scope: "global", permissions: { log: true, cluster: true } };
  const place = await house(t, { "overlay/plugin.json": JSON.stringify(manifest), "overlay/index.js": text });
  const run = async (): Promise<unknown> => {
    const host = await place.open({
      ...{ dataDir: `${place.plugins}-data`, backend: "model", cluster: { store: "local" } },
      policy: { sandbox: "node", plugins: { overlay: { grant: { scope: "global", log: true, cluster: true } } } },
    });
    const found = await told(host, "overlay");
    await host.close();
    return found;
  };
  assert.equal(await run(), [true, 1]);
  assert.equal(await run(), [false, 1]);
  const error = await rejection(place.open({ cluster: { store: "local" } }));
  assert.is(error.code, "ERR_OPTIONS");
  assert.match(error.message, /"cluster": the store "local" .* "dataDir"/);
});

test.run();
