/** Fences: the operator's statement that a host is gone, which plugins read and do not write, on every store. */
import { rangeOf } from "#dist/permissions/cluster/backend.js";
import { assert, rejection, suite } from "../../harness.js";
import { hostOn, keysOf, listener, onEach, operatorOf, withMethods } from "./stores.js";

const test = suite("permissions/cluster/fence");

onEach(test, "a plugin hears of a fence and of its end, reads it, and cannot change it", async (t, store) => {
  const [near, far] = [store.host(), store.host()];
  near.open();
  const power = far.open();
  const heard = listener(t, power);
  await heard.watch("fenced/");
  assert.equal((await heard.next()).entries, []);
  const { changed, fence } = await operatorOf(near).fence("host-3", "burnt down", false);
  assert.is(changed, true);
  assert.is(fence?.reason, "burnt down");
  const told = await heard.next();
  assert.equal([told.type, told.key], ["put", "fenced/host-3"]);
  assert.equal(JSON.parse(told.text as string), fence);
  const { revision } = told as { revision: number };
  for (const [method, request] of [
    ["delete", { key: "fenced/host-3" }],
    ["delete", { key: "fenced/host-3", revision }],
    ["compareAndSet", { key: "fenced/host-3", revision, value: 1 }],
    ["create", { key: "fenced/host-4", value: 1 }],
    ["create", { key: "fenced", value: 1 }],
  ] as const) {
    const error = await rejection(power.ask(method, request));
    assert.match(error.message, /rule "fenced": .*bulkhead cluster fence/);
  }
  assert.equal(keysOf(await power.ask("list", { prefix: "" })), ["fenced/host-3"]);
  assert.equal(await operatorOf(far).fence("host-3", "again", false), { plugin: "overlay", changed: false, fence });
  assert.is((await operatorOf(far).unfence("host-3")).changed, true);
  const gone = await heard.next();
  assert.equal([gone.type, gone.key], ["delete", "fenced/host-3"]);
  assert.is((await operatorOf(far).unfence("host-3")).changed, false);
});

onEach(test, "a host that is alive is not fenced, by its name or as a holder, unless by force", async (t, store) => {
  const [near, far] = [store.host(), store.host()];
  near.open();
  const power = far.open();
  const worker = listener(t, power);
  await worker.watch("none/");
  const key = (await power.ask("lease", {
    worker: worker.worker,
    name: "host-1",
    value: { at: "10.0.0.1" },
  })) as string;
  const holder = key.split("/")[2] ?? "";
  for (const name of ["host-1", holder]) {
    const error = await rejection(operatorOf(near).fence(name, undefined, false));
    assert.is(error.code, "ERR_CLUSTER_FENCE");
    assert.match(error.message, `host "${name}" holds a lease of plugin "overlay"`);
  }
  const found = { plugin: "overlay", host: "host-1", holder, value: { at: "10.0.0.1" }, fence: null };
  assert.equal(await operatorOf(near).hosts(), [{ ...found, here: false }]);
  assert.equal(await operatorOf(far).hosts(), [{ ...found, here: true }]);
  assert.is((await operatorOf(near).fence("host-1", "cut off", true)).changed, true);
  const [host] = await operatorOf(near).hosts();
  assert.equal([host?.holder, host?.fence?.reason], [holder, "cut off"]);
  await power.ask("delete", { key });
  assert.equal(
    (await operatorOf(near).hosts()).map(({ host, holder, fence }) => [host, holder, fence?.reason]),
    [["host-1", null, "cut off"]],
  );
});

onEach(test, "a fenced host gets no lease until the fence is undone; its other leases stay", async (_t, store) => {
  const host = store.host();
  const { ask } = host.open();
  const lease = (name: string): ReturnType<typeof ask> => ask("lease", { worker: "w", name, value: null });
  await lease("other");
  await operatorOf(host).fence("host-1", undefined, false);
  const error = await rejection(lease("host-1"));
  assert.is(error.code, "ERR_CLUSTER_REFUSED");
  assert.match(error.message, /rule "fenced": .*bulkhead cluster fence --undo host-1/);
  assert.equal(keysOf(await ask("list", { prefix: "alive/host-1/" })), []);
  await lease("other");
  await operatorOf(host).unfence("host-1");
  await lease("host-1");
  assert.is(keysOf(await ask("list", { prefix: "alive/" })).length, 2);
});

onEach(
  test,
  "a lease that begins while its host is being fenced wins, and the fence is taken back",
  async (t, store) => {
    const far = store.host().open();
    const slow = withMethods(store.backend);
    let lists = 0;
    slow.read = async (range, options) => {
      const found = await store.backend.read(range, options);
      // Between the look and the statement: later, the lease's own guard refuses it.
      if (range.from.endsWith("alive/") && lists++ === 0) await far.ask("lease", { worker: "w", name: "h", value: 1 });
      return found;
    };
    const raced = hostOn(t, { use: { ...slow, close: async () => {} } });
    raced.open();
    assert.is((await rejection(operatorOf(raced).fence("h", undefined, false))).code, "ERR_CLUSTER_FENCE");
    assert.equal(keysOf(await far.ask("list", { prefix: "fenced/" })), []);
  },
);

onEach(
  test,
  "fences are in no account, and one that somebody damaged still says that a host is gone",
  async (_t, store) => {
    const host = store.host();
    const { ask } = host.open("overlay", { keys: 1 });
    await operatorOf(host).fence("host-1", undefined, false);
    await operatorOf(host).fence("host-2", undefined, false);
    await ask("create", { key: "a", value: 1 });
    await store.meddle("bulkhead/accounts/overlay", undefined);
    assert.is((await host.hub.plugins.get("overlay")?.usage())?.keys, 1);
    await store.meddle("bulkhead/keys/overlay/fenced/host-1", '{"since":"never","reason":7}');
    await store.meddle("bulkhead/keys/overlay/fenced/host-2", "[]");
    const fences = (await operatorOf(host).hosts()).map(({ host, fence }) => [host, fence]);
    const nothing = { since: null, reason: null };
    assert.equal(fences, [
      ["host-1", nothing],
      ["host-2", nothing],
    ]);
    assert.is((await store.backend.read(rangeOf("bulkhead/keys/overlay/fenced/"))).count, 2);
  },
);

test.run();
