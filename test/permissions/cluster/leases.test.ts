/** Leases that lapse although their holder lives: their keys are written again. */
import { setTimeout as pause } from "node:timers/promises";
import type { StoreLease } from "#dist/permissions/cluster/backend.js";
import { assert, suite, type TestContext } from "../../harness.js";
import {
  hostOn,
  keysOf,
  type Listener,
  listener,
  type Opened,
  onEach,
  operatorOf,
  type TestStore,
  withMethods,
} from "./stores.js";

const test = suite("permissions/cluster/leases");

/** A plugin with a worker that lives, and the store's leases that it was given. */
async function holder(
  t: TestContext,
  store: TestStore,
  leaseMs: number,
): Promise<Opened & { readonly worker: Listener; readonly given: StoreLease[] }> {
  const given: StoreLease[] = [];
  const backend = withMethods(store.backend);
  backend.lease = async (ttlMs) => {
    const lease = await store.backend.lease(ttlMs);
    given.push(lease);
    return lease;
  };
  backend.close = async () => {};
  const opened = hostOn(t, { use: backend }, { leaseMs, pollMs: 100 }).open();
  const worker = listener(t, opened);
  await worker.watch("none/");
  return { ...opened, worker, given };
}

onEach(test, "one that has lapsed is written again when it is to be renewed", async (t, store) => {
  const { ask, worker, given } = await holder(t, store, 3_000);
  const key = await ask("lease", { worker: worker.worker, name: "a", value: 1 });
  const heard = listener(t, store.host().open());
  await heard.watch("alive/");
  await heard.next();
  await given[0]?.end();
  assert.equal([(await heard.next()).type, (await heard.next()).key], ["delete", key]);
  assert.is(given.length, 2);
});

onEach(test, "one that lapses while its host is fenced is written again when the fence is undone", async (t, store) => {
  const { ask, worker, given } = await holder(t, store, 1_500);
  const key = await ask("lease", { worker: worker.worker, name: "a", value: 1 });
  const near = store.host();
  near.open();
  const heard = listener(t, store.host().open());
  await operatorOf(near).fence("a", undefined, true);
  await heard.watch("alive/");
  await heard.next();
  await given[0]?.end();
  assert.equal([(await heard.next()).type], ["delete"]);
  const other = (await ask("lease", { worker: worker.worker, name: "b", value: 2 })) as string;
  assert.is((await heard.next()).key, other, "another lease does not wait for the fence");
  await operatorOf(near).unfence("a");
  assert.equal([(await heard.next()).key], [key]);
});

onEach(test, "one that has lapsed when another is asked for: both are written", async (t, store) => {
  // Not renewed within the test.
  const { ask, worker, given } = await holder(t, store, 60_000);
  const first = await ask("lease", { worker: worker.worker, name: "a", value: 1 });
  await given[0]?.end();
  assert.is(await ask("get", { key: first }), null);
  const second = await ask("lease", { worker: worker.worker, name: "b", value: 2 });
  assert.equal(keysOf(await ask("list", { prefix: "alive/" })), [first, second]);
});

onEach(test, "the last one that is ended ends the store's lease, and the next begins another", async (t, store) => {
  const { ask, worker, given } = await holder(t, store, 60_000);
  const key = await ask("lease", { worker: worker.worker, name: "a", value: 1 });
  await ask("delete", { key });
  assert.is(await given[0]?.renew(), false);
  assert.is(await ask("lease", { worker: worker.worker, name: "a", value: 1 }), key);
  assert.is(given.length, 2);
});

onEach(test, "one that is written again and again is renewed all the same", async (t, store) => {
  const { ask, worker, given } = await holder(t, store, 3_000);
  let renewed = 0;
  const lease = { worker: worker.worker, name: "a", value: 1 };
  await ask("lease", lease);
  const [first] = given;
  if (!first) throw new Error("no lease");
  const renew = first.renew.bind(first);
  first.renew = () => {
    renewed++;
    return renew();
  };
  const end = performance.now() + 10_000;
  while (renewed < 2 && performance.now() < end) {
    await ask("lease", lease);
    await pause(20);
  }
  assert.ok(renewed >= 2);
});

onEach(test, "the bound holds for leases that are asked for at once", async (t, store) => {
  const { ask, worker } = await holder(t, store, 60_000);
  const asked = await Promise.allSettled(
    Array.from({ length: 20 }, (_, n) => ask("lease", { worker: worker.worker, name: `n${n}`, value: 1 })),
  );
  assert.is(asked.filter(({ status }) => status === "fulfilled").length, 16);
  assert.is(keysOf(await ask("list", { prefix: "alive/" })).length, 16);
});

test.run();
