/** Watches of an etcd that is killed, restored, cut off and compacted meanwhile. */
import { EtcdStore } from "#dist/permissions/cluster/etcd/etcd-store.js";
import { CLUSTER } from "#dist/permissions/cluster/limits.js";
import { assert, suite } from "../../harness.js";
import { noEtcd, startEtcd, startMembers } from "./etcd.js";
import { startProxy } from "./proxy.js";
import { hostOn, listener } from "./stores.js";

const test = suite("permissions/cluster/watch-restarts");
const QUICK = { checkMs: 200, recheckMs: 50, staleMs: 1_500, reopenMs: 20, reopenMaxMs: 200 };
const needs = { needs: noEtcd, ms: 60_000 };

test(
  "etcd killed and started again: events go on where they were",
  async (t) => {
    const etcd = await startEtcd(t);
    const host = hostOn(t, { options: { store: "etcd", endpoints: [etcd.url] } }, { ...QUICK, staleMs: 30_000 });
    const { ask, power } = host.open();
    const heard = listener(t, { ask, power });
    await heard.watch("");
    await heard.next();
    await ask("create", { key: "a", value: 1 });
    assert.is((await heard.next()).key, "a");
    await etcd.kill("SIGKILL");
    await etcd.start();
    const other = new EtcdStore({ store: "etcd", endpoints: [etcd.url] }, CLUSTER);
    t.cleanup(() => other.close());
    await other.commit([], [{ key: "bulkhead/keys/overlay/b", text: "2" }]);
    const event = await heard.next();
    assert.equal([event.type, event.key], ["put", "b"]);
  },
  needs,
);

test(
  "etcd down and compacted meanwhile: a list",
  async (t) => {
    const etcd = await startEtcd(t);
    const proxy = await startProxy(t, etcd.port);
    const near = hostOn(t, { options: { store: "etcd", endpoints: [proxy.url] } }, { ...QUICK, storeMs: 500 }).open();
    const far = hostOn(t, { options: { store: "etcd", endpoints: [etcd.url] } }).open();
    const heard = listener(t, near);
    await heard.watch("");
    await heard.next();
    proxy.weather = "dead";
    proxy.cut();
    for (let n = 0; n < 5; n++) await far.ask("create", { key: `k${n}`, value: n });
    const { revision } = (await far.ask("list", { prefix: "" })) as { revision: number };
    await etcd.call("kv/compaction", { revision: String(revision), physical: true });
    proxy.weather = "pass";
    proxy.cut();
    const event = await heard.next();
    assert.is(event.type, "resync");
    assert.is((event.entries as unknown[]).length, 5);
  },
  needs,
);

test(
  "a connection that is silently dead: stale in time, and the change afterwards",
  async (t) => {
    const etcd = await startEtcd(t);
    const proxy = await startProxy(t, etcd.port);
    const host = hostOn(t, { options: { store: "etcd", endpoints: [proxy.url] } }, { ...QUICK, storeMs: 500 });
    const near = host.open();
    const far = hostOn(t, { options: { store: "etcd", endpoints: [etcd.url] } }).open();
    const heard = listener(t, near);
    await heard.watch("");
    await heard.next();
    await heard.next("progress");
    // Nothing is closed: a watch that trusts its connection would wait for good.
    proxy.weather = "dead";
    await far.ask("create", { key: "a", value: 1 });
    const began = performance.now();
    const stale = await heard.next("stale");
    assert.ok((stale.ms as number) >= QUICK.staleMs);
    assert.ok(performance.now() - began < 3 * QUICK.staleMs + 2_000);
    assert.ok(host.log.some(({ text }) => text.includes("may be behind")));
    proxy.weather = "pass";
    const event = await heard.next();
    const keys = event.type === "resync" ? (event.entries as { key: string }[]).map(({ key }) => key) : [event.key];
    assert.equal(keys, ["a"]);
  },
  needs,
);

test(
  "a store that was restored from an older copy: a list, and a line in the log",
  async (t) => {
    const etcd = await startEtcd(t);
    const host = hostOn(t, { options: { store: "etcd", endpoints: [etcd.url] } }, { ...QUICK, staleMs: 30_000 });
    const { ask, power } = host.open();
    const heard = listener(t, { ask, power });
    await heard.watch("");
    await heard.next();
    for (let n = 0; n < 5; n++) await ask("create", { key: `k${n}`, value: n });
    for (let n = 0; n < 5; n++) await heard.next();
    await etcd.kill("SIGKILL");
    await etcd.start(await t.folder());
    const listed = await heard.next();
    assert.equal([listed.type, listed.entries], ["resync", []]);
  },
  needs,
);

test(
  "a member that has lost the other members ends its watches",
  async (t) => {
    const [alone, ...others] = await startMembers(t, 3);
    const store = new EtcdStore({ store: "etcd", endpoints: [alone?.url ?? ""] }, CLUSTER);
    t.cleanup(() => store.close());
    await store.commit([], [{ key: "a", text: "1" }]);
    let opened = (): void => {};
    const open = new Promise<void>((resolve) => {
      opened = resolve;
    });
    const ended = new Promise<string>((resolve) => {
      const sink = { changes: () => opened(), ended: (_why: string, words: string) => resolve(words) };
      t.cleanup(store.watch({ from: "a", to: "b" }, 2, sink));
    });
    await open;
    await Promise.all(others.map((member) => member.kill("SIGKILL")));
    const words = await ended;
    assert.match(words, /no leader/, words);
  },
  needs,
);

test.run();
