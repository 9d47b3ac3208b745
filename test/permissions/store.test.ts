/** `store`, the host's half: a Map with a quota, one operation at a time. */
import fc from "fast-check";
import type { Json } from "#dist/driverapi/json.js";
import { HostTime } from "#dist/permissions/host-time.js";
import { MemoryStore, type StoreBackend } from "#dist/permissions/store/backend.js";
import { createStorePower } from "#dist/permissions/store/host.js";
import { storageFull } from "#dist/storage/errors.js";
import { assert, rejection, suite } from "../harness.js";

const test = suite("permission store");

function open(limits = { bytes: 65_536, keys: 256 }, backend: StoreBackend = new MemoryStore(), plugin = "bridge") {
  const power = createStorePower({ plugin, limits, backend, time: new HostTime() });
  return async (name: string, ...args: readonly (Json | undefined)[]): Promise<Json> => {
    const method = power.methods?.get(`store.${name}`);
    if (method === undefined) throw new Error(`no store.${name}`);
    return method(args as readonly Json[]);
  };
}

test("keeps, lists, deletes", async () => {
  const store = open();
  assert.is(await store("get", "a"), null);
  assert.is(await store("set", "a", { n: [1, "x", null], z: true }), null);
  await store("set", "b/1", 1);
  await store("set", "b/2", "two");
  assert.equal(await store("get", "a"), { n: [1, "x", null], z: true });
  assert.equal(await store("keys"), ["a", "b/1", "b/2"]);
  assert.equal(await store("keys", "b/"), ["b/1", "b/2"]);
  assert.is(await store("delete", "b/1"), true);
  assert.is(await store("delete", "b/1"), false);
  assert.equal(await store("keys", null), ["a", "b/2"]);
});

test("a plugin is not told where the data folder is", async () => {
  const backend = new MemoryStore();
  backend.set = () => Promise.reject(storageFull("/var/lib/bulkhead", 0, 1));
  const { code, message } = await rejection(open(undefined, backend)("set", "a", 1));
  assert.is(code, "ERR_PERMISSION_FAILED");
  assert.not(message.includes("/var/lib"), message);
});

test("compareAndSet sets only what is as expected", async () => {
  const store = open();
  assert.is(await store("compareAndSet", "k", 1, 2), false);
  assert.is(await store("compareAndSet", "k", null, { a: 1, b: [2] }), true);
  assert.is(await store("compareAndSet", "k", null, 3), false);
  assert.is(await store("compareAndSet", "k", { b: [2], a: 1 }, 3), true);
  assert.is(await store("compareAndSet", "k", "3", 4), false);
  assert.is(await store("get", "k"), 3);
  await store("set", "none", null);
  assert.is(await store("compareAndSet", "none", await store("get", "none"), 1), true);
});

test("of many that compare at once, one wins", async () => {
  const backend = new MemoryStore();
  const stores = [open(undefined, backend), open(undefined, backend)];
  const won = await Promise.all(
    Array.from({ length: 40 }, (_, i) => stores[i % 2]?.("compareAndSet", "leader", null, i)),
  );
  assert.is(won.filter(Boolean).length, 1);
  const raised = Array.from({ length: 30 }, async () => {
    for (;;) {
      const n = await stores[0]?.("get", "n");
      if (await stores[1]?.("compareAndSet", "n", n, Number(n) + 1)) return;
    }
  });
  await Promise.all(raised);
  assert.is(await stores[0]?.("get", "n"), 30);
});

test("plugins do not see each other", async () => {
  const backend = new MemoryStore();
  const [one, two] = [open(undefined, backend, "one"), open(undefined, backend, "two")];
  await one("set", "k", 1);
  assert.is(await two("get", "k"), null);
  assert.equal(await two("keys"), []);
  assert.is(await two("delete", "k"), false);
});

test("a write over the bytes is refused and changes nothing", async () => {
  const store = open({ bytes: 19, keys: 9 });
  await store("set", "aé", "1234567");
  const over = await rejection(store("set", "b", "12345"));
  assert.is(over.code, "ERR_PERMISSION_LIMIT");
  assert.is(
    over.message,
    'the store of plugin "bridge" would hold 20 bytes of 19; delete some, or have grant.store raised',
  );
  assert.equal(await store("keys"), ["aé"]);
  await store("set", "b", "1234");
  assert.is((await rejection(store("set", "b", "1234567"))).code, "ERR_PERMISSION_LIMIT");
  assert.is((await rejection(store("compareAndSet", "b", "1234", "1234567"))).code, "ERR_PERMISSION_LIMIT");
  assert.is(await store("get", "b"), "1234");
  await store("delete", "aé");
  await store("set", "b", "1234567");
});

test("a key over the count is refused, replacing is not", async () => {
  const store = open({ bytes: 1000, keys: 2 });
  await store("set", "a", 1);
  await store("set", "b", 1);
  assert.match((await rejection(store("set", "c", 1))).message, "2 keys of 2");
  await store("set", "a", 2);
  await store("delete", "b");
  await store("set", "c", 1);
});

test("a store that is over a lowered limit may shrink", async () => {
  const backend = new MemoryStore();
  await backend.set("bridge", "big", JSON.stringify("x".repeat(100)));
  const store = open({ bytes: 50, keys: 9 }, backend);
  assert.is((await rejection(store("set", "new", 1))).code, "ERR_PERMISSION_LIMIT");
  assert.is((await rejection(store("set", "big", "y".repeat(100)))).code, "ERR_PERMISSION_LIMIT");
  await store("set", "big", "x".repeat(90));
  await store("delete", "big");
  await store("set", "new", 1);
});

test("wrong keys, prefixes and values are refused", async () => {
  const store = open();
  for (const key of [
    "",
    1,
    null,
    undefined,
    true,
    ["a"],
    { a: 1 },
    "x".repeat(257),
    "é".repeat(129),
    "\ud800",
    "a\udfff",
  ]) {
    for (const method of ["get", "set", "delete", "compareAndSet"]) {
      assert.is(
        (await rejection(store(method, key, 1, 1))).code,
        "ERR_PERMISSION_ARGUMENT",
        `${method} ${JSON.stringify(key)}`,
      );
    }
  }
  for (const key of ["x".repeat(256), "é".repeat(128), "__proto__", "constructor", "a\0b", "🙂"]) {
    await store("set", key, key);
    assert.is(await store("get", key), key);
  }
  for (const prefix of [1, ["a"], { a: 1 }, true])
    assert.is((await rejection(store("keys", prefix))).code, "ERR_PERMISSION_ARGUMENT");
  let deep: Json = 1;
  for (let i = 0; i < 40; i++) deep = [deep];
  for (const value of [undefined, deep, Array(30_000).fill(0), Number.NaN, JSON.parse('{"__proto__": 1}')]) {
    assert.is((await rejection(store("set", "k", value))).code, "ERR_PERMISSION_ARGUMENT");
    assert.is((await rejection(store("compareAndSet", "k", null, value))).code, "ERR_PERMISSION_ARGUMENT");
  }
});

test("a backend that fails is told of without its words, and does not upset the count", async () => {
  const memory = new MemoryStore();
  let fail = false;
  const backend: StoreBackend = {
    get: (...args) => memory.get(...args),
    delete: (...args) => memory.delete(...args),
    entries: (...args) => memory.entries(...args),
    async set(...args) {
      await memory.set(...args);
      if (fail) throw new Error("EIO: /var/lib/bulkhead/data.mdb");
    },
  };
  const store = open({ bytes: 1000, keys: 2 }, backend);
  await store("set", "a", 1);
  fail = true;
  const failed = await rejection(store("set", "b", 1));
  assert.is(failed.code, "ERR_PERMISSION_FAILED");
  assert.not.match(failed.message, "/var");
  fail = false;
  assert.match((await rejection(store("set", "c", 1))).message, "2 keys of 2");
  await memory.set("bridge", "a", "{broken");
  assert.is((await rejection(store("get", "a"))).code, "ERR_PERMISSION_FAILED");
});

test("behaves as a Map with a quota does", async () => {
  const keys = fc.constantFrom("a", "b", "é", "aa", "a/b", "__proto__");
  const noProto = (value: unknown): boolean => !JSON.stringify(value).includes("__proto__");
  const values = fc.jsonValue({ maxDepth: 2 }).filter(noProto) as fc.Arbitrary<Json>;
  const step = fc.oneof(
    fc.record({ do: fc.constant("get" as const), key: keys }),
    fc.record({ do: fc.constant("set" as const), key: keys, value: values }),
    fc.record({ do: fc.constant("delete" as const), key: keys }),
    fc.record({ do: fc.constant("keys" as const), key: fc.constantFrom("", "a", "z") }),
    fc.record({ do: fc.constant("swap" as const), key: keys, value: values, right: fc.boolean() }),
  );
  const limits = { bytes: 120, keys: 3 };
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const store = open(limits);
      const model = new Map<string, string>();
      const size = (entries: Iterable<readonly [string, string]>): number =>
        [...entries].reduce((sum, [key, text]) => sum + Buffer.byteLength(key + text), 0);
      const write = (key: string, value: Json): "done" | "refused" => {
        const after = new Map(model).set(key, JSON.stringify(value));
        const bytes = size(after);
        if (after.size > limits.keys || (bytes > limits.bytes && bytes >= size(model))) return "refused";
        model.set(key, JSON.stringify(value));
        return "done";
      };
      const outcome = (call: Promise<Json>): Promise<unknown> => call.catch((error) => error.code);
      for (const next of steps) {
        const held = JSON.parse(model.get(next.key) ?? "null");
        if (next.do === "get") assert.equal(await store("get", next.key), held);
        else if (next.do === "delete") assert.is(await store("delete", next.key), model.delete(next.key));
        else if (next.do === "keys") {
          assert.equal(
            await store("keys", next.key),
            [...model.keys()].filter((key) => key.startsWith(next.key)).sort(),
          );
        } else if (next.do === "set") {
          const got = await outcome(store("set", next.key, next.value));
          assert.is(got, write(next.key, next.value) === "done" ? null : "ERR_PERMISSION_LIMIT");
        } else {
          const got = await outcome(store("compareAndSet", next.key, next.right ? held : ["never stored"], next.value));
          if (!next.right) assert.is(got, false);
          else assert.is(got, write(next.key, next.value) === "done" ? true : "ERR_PERMISSION_LIMIT");
        }
      }
    }),
    { numRuns: 150 },
  );
});

test.run();
