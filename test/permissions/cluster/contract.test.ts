/** What every store for `cluster` promises, as a plugin on two hosts sees it. */
import type { Json } from "#dist/driverapi/json.js";
import { assert, rejection, suite, until } from "../../harness.js";
import { keysOf, listener, onEach } from "./stores.js";

const test = suite("permissions/cluster/contract");

onEach(test, "what one host writes, the other reads", async (_t, store) => {
  const [one, two] = [store.host().open(), store.host().open()];
  assert.is(await one.ask("get", { key: "a" }), null);
  const created = (await one.ask("create", { key: "a", value: { n: [1, null] } })) as number;
  assert.ok(created > 0);
  assert.equal(await two.ask("get", { key: "a" }), { key: "a", text: '{"n":[1,null]}', revision: created });
});

onEach(test, "create: only if absent, with a value of null too", async (_t, store) => {
  const [one, two] = [store.host().open(), store.host().open()];
  assert.ok(await one.ask("create", { key: "a", value: null }));
  assert.is(await two.ask("create", { key: "a", value: 2 }), null);
  assert.is(((await two.ask("get", { key: "a" })) as { text: string }).text, "null");
});

onEach(test, "compareAndSet: by revision, which a value that returns does not have again", async (_t, store) => {
  const { ask } = store.host().open();
  const first = (await ask("create", { key: "a", value: 1 })) as number;
  const second = (await ask("compareAndSet", { key: "a", revision: first, value: 2 })) as number;
  assert.ok(second > first);
  const third = (await ask("compareAndSet", { key: "a", revision: second, value: 1 })) as number;
  assert.is(await ask("compareAndSet", { key: "a", revision: first, value: 3 }), null);
  assert.is(await ask("compareAndSet", { key: "b", revision: third, value: 3 }), null);
  assert.equal(await ask("get", { key: "a" }), { key: "a", text: "1", revision: third });
});

onEach(test, "delete: whether it did, and by revision", async (_t, store) => {
  const { ask } = store.host().open();
  const first = (await ask("create", { key: "a", value: 1 })) as number;
  const second = (await ask("compareAndSet", { key: "a", revision: first, value: 2 })) as number;
  assert.is(await ask("delete", { key: "a", revision: first }), null);
  assert.ok(await ask("delete", { key: "a", revision: second }));
  assert.is(await ask("delete", { key: "a" }), null);
  assert.ok(await ask("create", { key: "a", value: 1 }));
  assert.ok(await ask("delete", { key: "a" }));
});

onEach(test, "list: by prefix, sorted by key, over several pages, at one revision", async (_t, store) => {
  const { ask } = store.host({ pageEntries: 3 }).open();
  for (const key of ["b/2", "b/1", "b/10", "a", "b", "c", "b/3", "b/4", "b/5", "b/6"])
    await ask("create", { key, value: key });
  const listed = (await ask("list", { prefix: "b/" })) as {
    entries: { key: string; text: string }[];
    revision: number;
  };
  assert.equal(
    listed.entries.map(({ key }) => key),
    ["b/1", "b/10", "b/2", "b/3", "b/4", "b/5", "b/6"],
  );
  assert.is(listed.entries[0]?.text, '"b/1"');
  const last = (await ask("create", { key: "d", value: 1 })) as number;
  assert.ok(last > listed.revision);
  assert.is(keysOf(await ask("list", { prefix: "" })).length, 11);
});

onEach(test, "a plugin sees no other plugin's keys, not even one whose name begins like its own", async (_t, store) => {
  const host = store.host();
  const [one, two] = [host.open("net"), host.open("net2")];
  await one.ask("create", { key: "a", value: 1 });
  await two.ask("create", { key: "b", value: 2 });
  assert.equal(keysOf(await one.ask("list", { prefix: "" })), ["a"]);
  assert.is(await two.ask("get", { key: "a" }), null);
});

onEach(test, "of many hosts that create one key, one does; of many that count, none is lost", async (_t, store) => {
  const powers = Array.from({ length: 4 }, () => store.host().open());
  const created = await Promise.all(powers.map(({ ask }) => ask("create", { key: "one", value: 0 })));
  assert.is(created.filter((revision) => revision !== null).length, 1);
  const add = async ({ ask }: (typeof powers)[number]): Promise<void> => {
    for (let added = 0; added < 5; ) {
      const { text, revision } = (await ask("get", { key: "one" })) as { text: string; revision: number };
      const done: Json = await ask("compareAndSet", { key: "one", revision, value: Number(text) + 1 });
      if (done !== null) added++;
    }
  };
  await Promise.all(powers.map(add));
  assert.is(((await store.host().open().ask("get", { key: "one" })) as { text: string }).text, "20");
});

onEach(test, "watch: a list first, then every change in order", async (t, store) => {
  const [one, two] = [store.host().open(), store.host().open()];
  const first = (await one.ask("create", { key: "n/a", value: 1 })) as number;
  const heard = listener(t, two);
  await heard.watch("n/");
  const listed = await heard.next();
  assert.is(listed.type, "resync");
  assert.equal(listed.entries, [{ key: "n/a", text: "1", revision: first }]);
  const second = (await one.ask("compareAndSet", { key: "n/a", revision: first, value: 2 })) as number;
  await one.ask("create", { key: "m", value: 0 });
  const third = (await one.ask("create", { key: "n/b", value: 3 })) as number;
  const fourth = (await one.ask("delete", { key: "n/a" })) as number;
  assert.equal(await heard.next(), { watch: 1, type: "put", key: "n/a", text: "2", revision: second });
  assert.equal(await heard.next(), { watch: 1, type: "put", key: "n/b", text: "3", revision: third });
  assert.equal(await heard.next(), { watch: 1, type: "delete", key: "n/a", revision: fourth });
});

onEach(test, "watch: from a revision, without a list", async (t, store) => {
  const { ask, power } = store.host().open();
  const first = (await ask("create", { key: "a", value: 1 })) as number;
  const second = (await ask("compareAndSet", { key: "a", revision: first, value: 2 })) as number;
  const heard = listener(t, { ask, power });
  await heard.watch("", first);
  assert.is((await heard.next()).revision, first);
  assert.is((await heard.next()).revision, second);
});

onEach(test, "unwatch: nothing more", async (t, store) => {
  const { ask, power } = store.host().open();
  const heard = listener(t, { ask, power });
  await heard.watch("", undefined, 1);
  await heard.watch("", undefined, 2);
  await heard.next();
  await heard.next();
  await ask("unwatch", { worker: heard.worker, id: 1 });
  await ask("create", { key: "a", value: 1 });
  assert.is((await heard.next()).watch, 2);
  assert.equal(
    heard.left.filter(({ watch }) => watch === 1),
    [],
  );
});

onEach(test, "lease: its key is there while its holder lives, and goes with it", async (t, store, kind) => {
  // A busy machine may not renew etcd's in less time.
  const leaseMs = kind.endsWith("etcd") ? 3_000 : 1_000;
  const [one, two] = [store.host({ leaseMs }), store.host({ checkMs: leaseMs / 2 })];
  const holder = one.open();
  const worker = listener(t, holder);
  await worker.watch("none/");
  const key = (await holder.ask("lease", {
    worker: worker.worker,
    name: "host-1",
    value: { at: "10.0.0.1" },
  })) as string;
  assert.match(key, /^alive\/host-1\/[0-9a-f-]+$/);
  const heard = listener(t, two.open());
  await heard.watch("alive/");
  assert.is(((await heard.next()).entries as unknown[]).length, 1);
  // Longer than its time to live: it was renewed.
  for (let checks = 0; checks < 3; checks++) await heard.next("progress");
  assert.equal(
    heard.left.filter(({ type }) => type !== "stale"),
    [],
  );
  await holder.power.close?.();
  const gone = await heard.next();
  assert.equal([gone.type, gone.key], ["delete", key]);
});

onEach(test, "lease: a worker that is silent is not said to be alive", async (t, store) => {
  const holder = store.host({ leaseMs: 1_000, silentMs: 500 }).open();
  const heard = listener(t, store.host().open());
  await heard.watch("alive/");
  await heard.next();
  const key = await holder.ask("lease", { worker: "w", name: "host-1", value: null });
  assert.is((await heard.next()).type, "put");
  const gone = await heard.next();
  assert.equal([gone.type, gone.key], ["delete", key]);
});

onEach(test, "lease: ended by its holder; two holders of one name have a key each", async (_t, store) => {
  const [one, two] = [store.host().open(), store.host().open()];
  const first = await one.ask("lease", { worker: "w", name: "a", value: 1 });
  const second = await two.ask("lease", { worker: "w", name: "a", value: 2 });
  assert.is.not(first, second);
  assert.ok(await one.ask("delete", { key: first }));
  assert.is(await one.ask("get", { key: first }), null);
  assert.ok(await two.ask("get", { key: second }));
});

onEach(
  test,
  "keys and bytes are bounded over all hosts together, and what is deleted makes room",
  async (_t, store) => {
    const limits = { keys: 3, bytes: 100 };
    const [one, two] = [store.host().open("overlay", limits), store.host().open("overlay", limits)];
    await one.ask("create", { key: "a", value: 1 });
    await two.ask("create", { key: "b", value: 1 });
    await one.ask("create", { key: "c", value: 1 });
    assert.match((await rejection(two.ask("create", { key: "d", value: 1 }))).message, /rule "keys"/);
    const { revision } = (await one.ask("get", { key: "a" })) as { revision: number };
    const big = await rejection(two.ask("compareAndSet", { key: "a", revision, value: "x".repeat(100) }));
    assert.match(big.message, /rule "bytes"/);
    assert.ok(await two.ask("compareAndSet", { key: "a", revision, value: "x".repeat(80) }));
    await one.ask("delete", { key: "a" });
    assert.ok(await two.ask("create", { key: "d", value: "x".repeat(80) }));
  },
);

onEach(test, "writes of hosts at the same time do not pass the bound", async (_t, store) => {
  const powers = Array.from({ length: 4 }, () => store.host({ attempts: 64 }).open("overlay", { keys: 10 }));
  const results = await Promise.allSettled(
    powers.flatMap(({ ask }, host) => [0, 1, 2, 3].map((n) => ask("create", { key: `${host}/${n}`, value: 0 }))),
  );
  assert.is(results.filter(({ status }) => status === "fulfilled").length, 10);
  assert.is(keysOf(await store.host().open().ask("list", { prefix: "" })).length, 10);
});

onEach(test, "an account that is lost is counted again; one that is damaged fails closed", async (_t, store) => {
  const host = store.host();
  const { ask } = host.open("overlay", { keys: 2 });
  await ask("create", { key: "a", value: 1 });
  await ask("create", { key: "b", value: 1 });
  await ask("lease", { worker: "w", name: "n", value: 1 });
  await store.meddle("bulkhead/accounts/overlay", undefined);
  assert.match((await rejection(ask("create", { key: "c", value: 1 }))).message, /has 2 keys, and is granted 2/);
  await store.meddle("bulkhead/accounts/overlay", '{"keys":-1,"bytes":0}');
  assert.is((await rejection(ask("delete", { key: "a" }))).code, "ERR_CLUSTER_FAILED");
  assert.is((await rejection(ask("create", { key: "c", value: 1 }))).code, "ERR_CLUSTER_FAILED");
  // A plugin can cause the line at will: it is not written each time.
  assert.is(host.log.filter(({ text }) => text.includes("bulkhead/accounts/overlay")).length, 1);
});

onEach(
  test,
  "a value that is not JSON fails the read and makes the watch stale; no plugin gets it",
  async (t, store) => {
    const { ask, power } = store.host({ staleMs: 600, checkMs: 100, reopenMs: 10 }).open();
    await ask("create", { key: "a", value: 1 });
    const heard = listener(t, { ask, power });
    await heard.watch("");
    await heard.next();
    await store.meddle("bulkhead/keys/overlay/b", "{");
    await heard.next("stale");
    assert.is((await rejection(ask("get", { key: "b" }))).code, "ERR_CLUSTER_FAILED");
    await store.meddle("bulkhead/keys/overlay/b", undefined);
    assert.is((await heard.next()).type, "resync");
  },
);

onEach(test, "a closed power answers nothing, and its waiting request for events ends", async (_t, store) => {
  const { ask, power } = store.host().open();
  await ask("watch", { worker: "w", id: 1, prefix: "" });
  await until(async () => ((await ask("next", "w", true)) as unknown[]).length > 0, "the list");
  const waiting = ask("next", "w", true);
  await power.close?.();
  assert.equal(await waiting, []);
  assert.is((await rejection(ask("get", { key: "a" }))).code, "ERR_CLUSTER_FAILED");
  assert.is((await rejection(ask("next", "w", true))).code, "ERR_CLUSTER_FAILED");
});

test.run();
