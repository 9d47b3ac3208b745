/** `powers.cluster`: the worker's half over the host's, as a plugin in its compartment sees it. */
import type { Json } from "#dist/driverapi/json.js";
import type { ClusterFigures } from "#dist/permissions/cluster/limits.js";
import { MemoryClusterStore } from "#dist/permissions/cluster/memory/memory-store.js";
import { endow } from "#dist/permissions/cluster/worker.js";
import type { HostPort } from "#dist/permissions/permission.js";
import { assert, suite, type TestContext, until } from "../../harness.js";
import { compartmentWith, walk } from "../tamper.js";
import { hostOn, listener, type Opened } from "./stores.js";

const test = suite("powers.cluster");
const LIMITS = { bytes: 1_000, keys: 10, watches: 2, requestsPerSecond: 1_000 };

/**
 * Both halves, joined by JSON text as the link joins them. `broken`: from then on, requests fail as they do after a revocation; `limited`:
 * so many requests for events are refused for a limit.
 */
function open(
  t: TestContext,
  use: MemoryClusterStore = new MemoryClusterStore(),
  figures: Partial<ClusterFigures> = {},
) {
  const { power, ask }: Opened = hostOn(t, { use }, { pollMs: 50, checkMs: 100, ...figures }).open("overlay", LIMITS);
  const asked: string[] = [];
  const state = { broken: false, limited: 0 };
  const port: HostPort = {
    notify() {},
    async request(name, args) {
      if (name !== "cluster.next") asked.push(name);
      if (state.broken) throw Object.assign(new Error("revoked"), { code: "ERR_PERMISSION_REVOKED" });
      if (name === "cluster.next" && state.limited > 0) {
        state.limited--;
        throw Object.assign(new Error("too many requests"), { code: "ERR_PERMISSION_LIMIT" });
      }
      try {
        return JSON.parse(JSON.stringify(await power.methods?.get(name)?.(JSON.parse(JSON.stringify(args))))) as Json;
      } catch (error) {
        const { message, code } = error as Error & { code: string };
        throw Object.assign(new Error(message), { code });
      }
    },
  };
  t.cleanup(() => {
    state.broken = true;
  });
  const endowment = endow(LIMITS, port);
  const heard: unknown[] = [];
  const compartment = compartmentWith({
    cluster: endowment,
    test: { globals: { hear: (one: unknown) => void heard.push(one) } },
  });
  return {
    ask,
    asked,
    state,
    heard,
    endowment,
    run: (source: string): Promise<unknown> => compartment.evaluate(`(async (cluster) => ${source})(powers.cluster)`),
  };
}

const codeOf = (source: string): string =>
  `{ try { await ${source}; return "taken"; } catch (e) { return e instanceof Error && e.stack === "" && e.code; } }`;

test("works as documented", async (t) => {
  const { run } = open(t);
  const seen = (await run(`{
    const seen = [await cluster.get("k")];
    const first = await cluster.create("k", { a: [1] });
    seen.push(await cluster.create("k", 2), (await cluster.get("k")).value);
    const second = await cluster.compareAndSet("k", first, null);
    seen.push(second > first, await cluster.compareAndSet("k", first, 3), (await cluster.list()).entries.length);
    seen.push((await cluster.list("x")).entries, await cluster.delete("k", first), await cluster.delete("k"), await cluster.delete("k"));
    return seen;
  }`)) as unknown[];
  assert.equal(seen, [null, null, { a: [1] }, true, null, 1, [], false, true, false]);
});

test("allocation: hosts that choose the same address at the same time get different ones", async (t) => {
  const store = new MemoryClusterStore();
  const allocate = `{ for (let n = 2; ; n++) if ((await cluster.create("10.64.0." + n, "mine")) !== null) return n; }`;
  const got = await Promise.all([1, 2, 3, 4].map(() => open(t, store).run(allocate)));
  assert.equal([...got].sort(), [2, 3, 4, 5]);
});

test("a handler hears a list, then changes, in order, one after another", async (t) => {
  const { run, heard, ask } = open(t);
  await run(`{
    await cluster.create("n/a", 1);
    let busy = false;
    const id = await cluster.watch("n/", async (event) => {
      if (event.type === "progress") return;
      if (busy) hear("two at a time");
      busy = true;
      await null;
      await cluster.get("n/a");
      busy = false;
      hear(event.type === "resync" ? ["resync", event.entries.map(({ key, value }) => [key, value])] : [event.type, event.key, event.value]);
    });
    hear(typeof id);
  }`);
  await until(() => heard.length >= 2, "the list");
  for (const key of ["n/b", "n/c"]) await ask("create", { key, value: key });
  await ask("delete", { key: "n/a" });
  await until(() => heard.length >= 5, "the changes");
  assert.equal(
    heard.filter((one) => one !== "number"),
    [
      ["resync", [["n/a", 1]]],
      ["put", "n/b", "n/b"],
      ["put", "n/c", "n/c"],
      ["delete", "n/a", undefined],
    ],
  );
});

/** Has a watch on `n/` whose first event waits until `go` is called; the others read a key before they have ended. */
const WAITING = `await cluster.watch("n/", async (event) => {
  if (event.type === "progress" || event.type === "stale") return;
  if (event.type === "resync") return new Promise((resolve) => hear({ go: resolve }));
  hear("begin " + event.key);
  await cluster.get(event.key);
  hear("end " + event.key);
});`;
const go = (one: unknown): void => (one as { readonly go: () => void }).go();

test("while a handler waits, no other event is handled; then each after the one before has ended", async (t) => {
  const { run, heard, ask } = open(t);
  await run(`{ ${WAITING} }`);
  await until(() => heard.length > 0, "the first event");
  for (let n = 0; n < 3; n++) await ask("create", { key: `n/${n}`, value: n });
  const other = listener(t, { ask });
  await other.watch("none");
  for (let polls = 0; polls < 3; polls++) await other.next("progress");
  assert.is(heard.length, 1);
  go(heard[0]);
  await until(() => heard.length >= 7, "the rest");
  assert.equal(
    heard.slice(1),
    [0, 1, 2].flatMap((n) => [`begin n/${n}`, `end n/${n}`]),
  );
});

test("a handler that waits keeps no lease from being renewed", async (t) => {
  const { run, heard, ask } = open(t, undefined, { leaseMs: 600, silentMs: 300 });
  await run(`{ await cluster.lease("me", 1); ${WAITING} }`);
  await until(() => heard.length > 0, "the first event");
  const other = listener(t, { ask });
  await other.watch("alive/");
  assert.is(((await other.next()).entries as unknown[]).length, 1);
  for (let checks = 0; checks < 15; checks++) await other.next("progress");
  assert.equal(
    other.left.filter(({ type }) => type === "delete"),
    [],
  );
  go(heard[0]);
});

test("after a revocation a handler hears the end, with its code", async (t) => {
  const { run, heard, state } = open(t);
  await run(`cluster.watch("", (event) => { if (event.type !== "progress") hear(event); })`);
  await until(() => heard.length > 0, "the list");
  state.broken = true;
  await until(() => heard.length > 1, "the end");
  assert.equal(heard[1], { type: "end", code: "ERR_PERMISSION_REVOKED" });
});

test("a request for events that is refused for a limit is repeated: no handler hears an end", async (t) => {
  const { run, heard, state, ask } = open(t);
  await run(`cluster.watch("", (event) => { if (event.type !== "progress") hear(event.type); })`);
  await until(() => heard.length > 0, "the list");
  state.limited = 2;
  await until(() => state.limited === 0, "two refusals");
  await ask("create", { key: "a", value: 1 });
  await until(() => heard.length > 1, "the change");
  assert.equal(heard, ["resync", "put"]);
});

test("after unwatch a handler hears nothing, and nothing is asked for any more", async (t) => {
  const { run, heard, asked, ask } = open(t);
  await run(`{ const id = await cluster.watch("", () => hear(1)); await cluster.unwatch(id); }`);
  await ask("create", { key: "a", value: 1 });
  await run(`cluster.get("a")`);
  const before = heard.length;
  // As long as a request for events takes.
  await ask("watch", { worker: "other", id: 1, prefix: "none" });
  await ask("next", "other", true);
  await ask("next", "other", true);
  assert.is(heard.length, before);
  assert.equal(asked, ["cluster.watch", "cluster.unwatch", "cluster.get"]);
});

test("wrong arguments are refused before they cross", async (t) => {
  const { run, asked } = open(t);
  const keys = [
    "{}",
    "['a']",
    "() => 1",
    "Symbol()",
    "{ toString: () => 'k' }",
    "new Proxy({}, { get() { throw 1; } })",
  ];
  for (const key of keys)
    for (const call of [
      `get(${key})`,
      `create(${key}, 1)`,
      `compareAndSet(${key}, 1, 1)`,
      `delete(${key})`,
      `lease(${key}, 1)`,
      `watch(${key}, () => {})`,
    ])
      assert.is(await run(codeOf(`cluster.${call}`)), "ERR_PERMISSION_ARGUMENT", call);
  assert.is(await run(codeOf(`cluster.get("x".repeat(300))`)), "ERR_PERMISSION_LIMIT");
  const values = [
    "undefined",
    "() => 1",
    "NaN",
    "1n",
    "{ get a() { hear(1); return 1; } }",
    "new Map()",
    "(() => { const o = {}; o.o = o; return o; })()",
  ];
  for (const value of values) {
    assert.is(await run(codeOf(`cluster.create("k", ${value})`)), "ERR_PERMISSION_ARGUMENT", value);
    assert.is(await run(codeOf(`cluster.compareAndSet("k", 1, ${value})`)), "ERR_PERMISSION_ARGUMENT", value);
  }
  for (const revision of ["null", "'1'", "1.5", "NaN", "2 ** 53", "1n", "{ valueOf: () => 1 }"])
    assert.is(await run(codeOf(`cluster.compareAndSet("k", ${revision}, 1)`)), "ERR_PERMISSION_ARGUMENT", revision);
  for (const handler of ["undefined", "{}", "'f'"])
    assert.is(await run(codeOf(`cluster.watch("", ${handler})`)), "ERR_PERMISSION_ARGUMENT", handler);
  assert.equal(asked, []);
});

test("a watch that is refused is not asked about again", async (t) => {
  const { run } = open(t);
  await run(`{ await cluster.watch("a", () => {}); await cluster.watch("b", () => {}); }`);
  assert.is(await run(codeOf(`cluster.watch("c", () => {})`)), "ERR_CLUSTER_REFUSED");
});

test("nothing in it can be changed, and it leads nowhere", (t) => {
  const { endowment } = open(t);
  const { findings } = walk({ cluster: endowment });
  assert.equal(findings, []);
});

test.run();
