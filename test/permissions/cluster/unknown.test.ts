/** A write whose reply is lost says that its outcome is unknown, and is not sent again; one that was not sent says that it failed. */
import type { Json } from "#dist/driverapi/json.js";
import { StoreError } from "#dist/permissions/cluster/backend.js";
import { EtcdStore } from "#dist/permissions/cluster/etcd/etcd-store.js";
import { CLUSTER } from "#dist/permissions/cluster/limits.js";
import { assert, rejection, suite, until } from "../../harness.js";
import { type Etcd, freePort, noEtcd, startEtcd } from "./etcd.js";
import { startProxy } from "./proxy.js";
import { hostOn } from "./stores.js";

const test = suite("permissions/cluster/unknown");
const needs = { needs: noEtcd, ms: 40_000 };
const SHORT = { storeMs: 700, connectMs: 300 };

const on = (
  ...endpoints: string[]
): { readonly options: { readonly store: "etcd"; readonly endpoints: string[] } } => ({
  options: { store: "etcd", endpoints },
});
/** The number of writes that an etcd has made. */
const writesOf = async (etcd: Etcd): Promise<number> =>
  Number(((await etcd.call("kv/range", { key: "AA==" })).header as { revision: string }).revision) - 1;

for (const [method, request] of [
  ["create", { key: "b", value: 1 }],
  ["compareAndSet", { key: "a", value: 2 }],
  ["delete", { key: "a" }],
] as const) {
  test(
    `${method}: the reply is lost after the write was done`,
    async (t) => {
      const etcd = await startEtcd(t);
      const proxy = await startProxy(t, etcd.port);
      const far = hostOn(t, on(etcd.url)).open();
      const revision = (await far.ask("create", { key: "a", value: 1 })) as number;
      // Two members as the host sees it: a request whose outcome is unknown must not be sent to the second one.
      const host = hostOn(t, on(proxy.url, etcd.url), SHORT);
      const near = host.open();
      await near.ask("get", { key: "a" });
      const before = await writesOf(etcd);
      const asked: Record<string, Json> = { ...request, ...(method === "compareAndSet" ? { revision } : {}) };
      proxy.losing = "/v3/kv/txn";
      const error = await rejection(near.ask(method, asked));
      assert.is(error.code, "ERR_CLUSTER_UNKNOWN", error.message);
      assert.match(error.message, /may have happened/);
      assert.is(await writesOf(etcd), before + 1, "it was done, once");
    },
    needs,
  );
}

test(
  "a store that dies while it writes: unknown, and what follows is not done twice",
  async (t) => {
    const etcd = await startEtcd(t);
    const { ask } = hostOn(t, on(etcd.url), SHORT).open();
    const revision = (await ask("create", { key: "a", value: 1 })) as number;
    await etcd.freeze();
    // The first of its two reads waits too: nothing was sent that writes.
    const read = await rejection(ask("compareAndSet", { key: "a", revision, value: 2 }));
    assert.is(read.code, "ERR_CLUSTER_FAILED", read.message);
    etcd.thaw();
    await until(() => ask("get", { key: "a" }).then(Boolean, () => false), "etcd to answer", 10_000);
    assert.ok(await ask("compareAndSet", { key: "a", revision, value: 3 }));
  },
  needs,
);

test(
  "a later write settles an earlier one whose outcome is unknown: it never happens after that",
  async (t) => {
    const etcd = await startEtcd(t);
    const proxy = await startProxy(t, etcd.port);
    const near = hostOn(t, on(proxy.url), SHORT).open();
    const far = hostOn(t, on(etcd.url)).open();
    const revision = (await far.ask("create", { key: "a", value: 1 })) as number;
    await near.ask("get", { key: "a" });
    // The transaction is kept on the way, as in a router's queue, and arrives after another host's write to another key.
    proxy.holding = "/v3/kv/txn";
    const error = await rejection(near.ask("compareAndSet", { key: "a", revision, value: "late" }));
    assert.is(error.code, "ERR_CLUSTER_UNKNOWN", error.message);
    await far.ask("create", { key: "b", value: 1 });
    const before = await writesOf(etcd);
    await proxy.release();
    assert.is(((await far.ask("get", { key: "a" })) as { text: string }).text, "1");
    assert.is(await writesOf(etcd), before);
  },
  needs,
);

test("nothing listens: it failed, and says so at once", async (t) => {
  const { ask } = hostOn(t, on(`http://127.0.0.1:${await freePort()}`)).open();
  const began = performance.now();
  const error = await rejection(ask("create", { key: "a", value: 1 }));
  assert.is(error.code, "ERR_CLUSTER_FAILED", error.message);
  assert.match(error.message, /changed nothing.*ECONNREFUSED/);
  assert.ok(performance.now() - began < 2_000);
  assert.not.match(error.message, /127\.0\.0\.1/);
});

test("a write that finds no member was not sent: nothing is unknown", async (t) => {
  const endpoints = [`http://127.0.0.1:${await freePort()}`, `http://127.0.0.1:${await freePort()}`];
  const store = new EtcdStore({ store: "etcd", endpoints }, CLUSTER);
  t.cleanup(() => store.close());
  const error = await rejection(store.commit([], [{ key: "a", text: "1" }]));
  assert.instance(error, StoreError);
  assert.is(error.unknown, false, error.message);
});

test(
  "a member that cannot be reached is passed over",
  async (t) => {
    const etcd = await startEtcd(t);
    const { ask } = hostOn(t, on(`http://127.0.0.1:${await freePort()}`, etcd.url)).open();
    assert.ok(await ask("create", { key: "a", value: 1 }));
    assert.ok(await ask("get", { key: "a" }));
  },
  needs,
);

test(
  "a member that does not answer is passed over by reads, within their deadline",
  async (t) => {
    const etcd = await startEtcd(t);
    const proxy = await startProxy(t, etcd.port);
    const { ask } = hostOn(t, on(proxy.url, etcd.url), { storeMs: 2_000 }).open();
    assert.is(await ask("get", { key: "a" }), null);
    proxy.weather = "dead";
    assert.is(await ask("get", { key: "a" }), null);
  },
  needs,
);

test(
  "etcd without room: it failed, changed nothing, and reads go on",
  async (t) => {
    const etcd = await startEtcd(t, ["--quota-backend-bytes", "200000"]);
    const { ask } = hostOn(t, on(etcd.url)).open();
    await ask("create", { key: "a", value: 1 });
    const error = await rejection(
      (async () => {
        for (let n = 0; n < 60; n++) await ask("create", { key: `k${n}`, value: "x".repeat(30_000) });
      })(),
    );
    assert.is(error.code, "ERR_CLUSTER_FAILED", error.message);
    assert.match(error.message, /space exceeded/);
    assert.ok(await ask("get", { key: "a" }));
  },
  needs,
);

test.run();
