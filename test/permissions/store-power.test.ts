/** `powers.store`: the worker's half over the host's, as a plugin sees it. */
import type { Json } from "#dist/driverapi/json.js";
import { HostTime } from "#dist/permissions/host-time.js";
import type { HostPort } from "#dist/permissions/permission.js";
import { MemoryStore } from "#dist/permissions/store/backend.js";
import { createStorePower } from "#dist/permissions/store/host.js";
import { endow } from "#dist/permissions/store/worker.js";
import { assert, suite } from "../harness.js";
import { compartmentWith, walk } from "./tamper.js";

const test = suite("powers.store");
const limits = { bytes: 200, keys: 3 };

/** Both halves, joined by JSON text as the link joins them. */
function open() {
  const host = createStorePower({ plugin: "bridge", limits, backend: new MemoryStore(), time: new HostTime() });
  const asked: string[] = [];
  const port: HostPort = {
    notify() {},
    async request(name, args) {
      asked.push(name);
      try {
        return JSON.parse(JSON.stringify(await host.methods?.get(name)?.(JSON.parse(JSON.stringify(args))))) as Json;
      } catch (error) {
        const { message, code } = error as Error & { code: string };
        throw Object.assign(new Error(message), { code });
      }
    },
  };
  const endowment = endow(limits, port);
  const compartment = compartmentWith({ store: endowment });
  return {
    asked,
    endowment,
    run: (source: string): Promise<unknown> => compartment.evaluate(`(async (store) => ${source})(powers.store)`),
  };
}

const codeOf = (source: string): string =>
  `{ try { await ${source}; return "taken"; } catch (e) { return e instanceof Error && e.stack === "" && e.code; } }`;

test("works as documented", async () => {
  const { run } = open();
  const seen = await run(`{
    const seen = [await store.get("k"), await store.set("k", { a: [1] }), await store.get("k"), await store.keys(), await store.keys("x")];
    seen.push(await store.compareAndSet("k", { a: [1] }, 2), await store.compareAndSet("k", { a: [1] }, 3), await store.compareAndSet("l", undefined, 1));
    seen.push(await store.delete("k"), await store.delete("k"));
    return seen;
  }`);
  assert.equal(seen, [null, undefined, { a: [1] }, ["k"], [], true, false, true, true, false]);
});

test("concurrent writers of one counter lose nothing", async () => {
  const { run } = open();
  const add = `async () => { for (;;) { const n = await store.get("n"); if (await store.compareAndSet("n", n, n + 1)) return; } }`;
  assert.is(
    await run(`{ const add = ${add}; await Promise.all(Array.from({ length: 20 }, add)); return store.get("n"); }`),
    20,
  );
});

test("the quota is the host's", async () => {
  const { run } = open();
  assert.is(await run(codeOf('store.set("k", "x".repeat(300))')), "ERR_PERMISSION_LIMIT");
  await run('{ await store.set("a", 1); await store.set("b", 1); await store.set("c", 1); }');
  assert.is(await run(codeOf('store.set("d", 1)')), "ERR_PERMISSION_LIMIT");
});

test("wrong arguments are refused before they cross", async () => {
  const { run, asked } = open();
  const keys = [
    "",
    "undefined",
    "''",
    "1",
    "null",
    "['a']",
    "{ toString: () => 'k' }",
    "new String('k')",
    "'x'.repeat(257)",
    "'x'.repeat(2 ** 28)",
    "'\\ud800'",
    "Symbol()",
    "1n",
    "NaN",
    "new Proxy({}, { get() { throw 1; } })",
  ];
  for (const key of keys) {
    for (const call of [
      `get(${key})`,
      `set(${key || "undefined"}, 1)`,
      `delete(${key})`,
      `compareAndSet(${key || "undefined"}, 1, 1)`,
    ]) {
      assert.is(await run(codeOf(`store.${call}`)), "ERR_PERMISSION_ARGUMENT", call);
    }
  }
  const values = [
    "undefined",
    "() => 1",
    "Symbol()",
    "1n",
    "NaN",
    "Infinity",
    "{ get a() { ran.push(1); return 1; } }",
    "{ a: () => 1 }",
    "[NaN]",
    "new Date(0)",
    "new Map()",
    "(() => { const o = {}; o.o = o; return o; })()",
    "new Proxy({}, { ownKeys() { throw new Error('trap'); } })",
    "new Proxy({}, { ownKeys() { throw new Proxy({}, { get() { throw 1; } }); } })",
    "Array(30000).fill(0)",
  ];
  for (const value of values) {
    assert.is(await run(codeOf(`store.set("k", ${value})`)), "ERR_PERMISSION_ARGUMENT", value);
    assert.is(await run(codeOf(`store.compareAndSet("k", null, ${value})`)), "ERR_PERMISSION_ARGUMENT", value);
  }
  for (const prefix of ["1", "null", "{}", "Symbol()"])
    assert.is(await run(codeOf(`store.keys(${prefix})`)), "ERR_PERMISSION_ARGUMENT");
  assert.equal(asked, []);
});

test("toJSON, getters and prototypes of a value are not asked", async () => {
  const { run } = open();
  await run(`{
    const value = Object.create(null);
    value.a = -0;
    value.b = 2 ** 53;
    return store.set("k", [value, { toJSON: undefined, c: "\\u2028\\ud800" }]);
  }`);
  assert.equal(await run('store.get("k")'), [{ a: 0, b: 2 ** 53 }, { c: "\u2028\ud800" }]);
});

test("a prefix of any length finds what begins so", async () => {
  const { run } = open();
  await run('store.set("x".repeat(100), 1)');
  assert.equal(await run('store.keys("x".repeat(101))'), []);
  assert.equal(await run('store.keys("x".repeat(1e6))'), []);
  assert.is(await run('store.keys("x".repeat(100)).then((keys) => keys.length)'), 1);
});

test("cannot be tampered with", () => {
  const { endowment } = open();
  assert.equal(walk({ store: endowment }, '({ pending: powers.store.get("k") })').findings, []);
});

test.run();
