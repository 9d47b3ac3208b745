/** Every rule of a cluster grant, by the attack that works without it. */
import type { Json } from "#dist/driverapi/json.js";
import type { ClusterLimits } from "#dist/permissions/cluster/grant.js";
import { MemoryClusterStore } from "#dist/permissions/cluster/memory/memory-store.js";
import { RULES } from "#dist/permissions/cluster/rules.js";
import { assert, rejection, suite } from "../../harness.js";
import { ruleOf } from "../netlink/backends.js";
import { hostOn } from "./stores.js";

const test = suite("permissions/cluster/rules");

type Ask = readonly [method: string, request: Json];

interface Attack {
  readonly rule: string;
  readonly what: string;
  readonly ask: Ask;
  /** What the refusal must show. */
  readonly shows: string;
  readonly limits?: Partial<ClusterLimits>;
  readonly first?: readonly Ask[];
}

const creating = (rule: string, what: string, key: Json, shows: string): Attack => ({
  rule,
  what,
  ask: ["create", { key, value: 1 }],
  shows,
});
const create = (key: string, value: Json = 1): Ask => ["create", { key, value }];
const watch = (id: Json, change: Record<string, Json> = {}): Ask => [
  "watch",
  { worker: "w", id, prefix: "", ...change },
];
const lease = (name: string, value: Json = 1): Ask => ["lease", { worker: "w", name, value }];

const ATTACKS: readonly Attack[] = [
  { rule: "fields", what: "a lease on a key", ask: ["create", { key: "a", value: 1, lease: "7" }], shows: '"lease"' },
  {
    rule: "fields",
    what: "a store of its choice",
    ask: ["get", { key: "a", endpoint: "http://10.0.0.1" }],
    shows: '"endpoint"',
  },
  { rule: "fields", what: "__proto__", ask: ["get", JSON.parse('{"key":"a","__proto__":{}}')], shows: "__proto__" },
  { rule: "shape", what: "no object", ask: ["get", "a"], shows: '"a"' },
  { rule: "shape", what: "no value", ask: ["create", { key: "a" }], shows: "needs the field value" },
  { rule: "shape", what: "a lost revision", ask: ["delete", { key: "a", revision: null }], shows: "revision must be" },
  { rule: "shape", what: "a key that is a list", ask: ["get", { key: ["a"] }], shows: "an object" },
  {
    rule: "shape",
    what: "a revision in words",
    ask: ["compareAndSet", { key: "a", revision: "1", value: 1 }],
    shows: '"1"',
  },
  creating("key", "the plugin's own root", "", '""'),
  creating("key", "a way up", "../other/a", "../other/a"),
  creating("key", "a way up in the middle", "a/../../other/a", ".."),
  creating("key", "the root", "/a", '"/a"'),
  creating("key", "an empty part", "a//b", '"a//b"'),
  creating("key", "a null, with which an interval of keys begins", "a\0", "\\u0000"),
  creating("key", "what ends the plugin's interval", "\uffff", "must have"),
  creating("key", "two lines", "a\nb", "\\n"),
  creating("key", "too long", "a".repeat(257), "256"),
  { rule: "key", what: "a prefix that leaves the namespace", ask: ["list", { prefix: "../" }], shows: '"../"' },
  { rule: "key", what: "a name of a lease with a part more", ask: lease("a/b"), shows: '"a/b"' },
  {
    rule: "worker",
    what: "a mark that is a path",
    ask: ["watch", { worker: "../", id: 1, prefix: "" }],
    shows: '"../"',
  },
  {
    rule: "worker",
    what: "a watch in the place of another",
    first: [watch(1)],
    ask: watch(1),
    shows: "1 is the number",
  },
  { rule: "worker", what: "a watch with no number", ask: watch(0.5), shows: "0.5" },
  {
    rule: "revision",
    what: "a revision of nothing: it would create what is not there",
    ask: ["compareAndSet", { key: "a", revision: 0, value: 1 }],
    shows: "0 is not",
  },
  {
    rule: "revision",
    what: "a revision that is not whole",
    ask: ["delete", { key: "a", revision: 1.5 }],
    shows: "1.5",
  },
  { rule: "revision", what: "from before the first", ask: watch(1, { from: -1 }), shows: "-1" },
  { rule: "value", what: "a value that fills the store", ask: create("a", "x".repeat(40_000)), shows: "32768" },
  {
    rule: "value",
    what: "a lease's value, which no account counts",
    ask: lease("a", "x".repeat(2_000)),
    shows: "1024",
  },
  { rule: "alive", what: "a lapsed lease as a lock", ask: create("alive/a/b"), shows: "alive/a/b" },
  { rule: "alive", what: "the leases' own root", ask: create("alive"), shows: '"alive"' },
  {
    rule: "alive",
    what: "a lease of another host's that is made to say something else",
    ask: ["compareAndSet", { key: "alive/a/b", revision: 1, value: 1 }],
    shows: "alive/a/b",
  },
  { rule: "alive", what: "another host's lease ended", ask: ["delete", { key: "alive/a/b" }], shows: "alive/a/b" },
  { rule: "fenced", what: "a host said to be gone by a plugin", ask: create("fenced/host-1"), shows: "fenced/host-1" },
  { rule: "fenced", what: "the fences' own root", ask: create("fenced"), shows: '"fenced"' },
  {
    rule: "fenced",
    what: "an operator's words replaced",
    ask: ["compareAndSet", { key: "fenced/host-1", revision: 1, value: 1 }],
    shows: "fenced/host-1",
  },
  {
    rule: "fenced",
    what: "a fence that its own host takes down",
    ask: ["delete", { key: "fenced/host-1" }],
    shows: "fenced/host-1",
  },
  {
    rule: "leases",
    what: "leases without end",
    first: Array.from({ length: 16 }, (_, n) => lease(`n${n}`)),
    ask: lease("one-more"),
    shows: "16",
  },
  {
    rule: "watches",
    what: "one watch too many",
    limits: { watches: 2 },
    first: [watch(1), watch(2)],
    ask: watch(3),
    shows: "granted 2",
  },
  {
    rule: "keys",
    what: "one key too many",
    limits: { keys: 1 },
    first: [create("a")],
    ask: create("b"),
    shows: "granted 1",
  },
  {
    rule: "bytes",
    what: "one byte too many",
    limits: { bytes: 4 },
    first: [create("a")],
    ask: create("b", 12),
    shows: "5 bytes",
  },
  {
    rule: "rate",
    what: "one request too many",
    limits: { requestsPerSecond: 2 },
    first: [create("a"), create("b")],
    ask: ["get", { key: "a" }],
    shows: "2 requests a second",
  },
  {
    rule: "rate",
    what: "history: large values that replace each other",
    limits: { requestsPerSecond: 8 },
    ask: create("a", "x".repeat(32_700)),
    shows: "8 requests a second",
    first: [create("b", "x".repeat(100))],
  },
];

for (const { rule, what, ask: asked, shows, limits, first = [] } of ATTACKS) {
  test(`${rule}: ${what}`, async (t) => {
    const store = new MemoryClusterStore();
    const { ask } = hostOn(t, { use: store }).open("overlay", limits);
    for (const [method, request] of first) await ask(method, request);
    const before = (await store.read({ from: "a", to: "z" })).revision;
    const error = await rejection(ask(...asked));
    assert.is(error.code, "ERR_CLUSTER_REFUSED", error.message);
    assert.is(error.kind, "Forbidden");
    assert.is(ruleOf(error), rule, error.message);
    assert.ok(error.message.includes(shows), `${error.message} does not show ${shows}`);
    assert.ok(!/[\n\0]/.test(error.message), "the message is one line");
    assert.is((await store.read({ from: "a", to: "z" })).revision, before, "nothing was written");
  });
}

test("every rule has an attack", () => {
  const attacked = new Set(ATTACKS.map(({ rule }) => rule));
  assert.equal(
    RULES.map(({ id }) => id).filter((id) => !attacked.has(id)),
    [],
  );
});

test("keys that drivers need are allowed", async (t) => {
  const { ask } = hostOn(t, { use: new MemoryClusterStore() }).open();
  for (const key of [
    "10.64.0.0/24",
    "fd64::1/128",
    "02:42:ac:11:00:02",
    "n/0f3a/e/1_2.3-4",
    "alive-or-not",
    "fenced-in",
    "a@b%c+d=e,~",
  ])
    assert.ok(await ask("create", { key, value: 1 }), key);
});

test("too many requests at a time", async (t) => {
  const store = new MemoryClusterStore();
  const { ask } = hostOn(t, { use: store }, { waiting: 2 }).open();
  const asked = await Promise.allSettled([1, 2, 3].map((n) => ask("create", { key: String(n), value: n })));
  assert.equal(
    asked.map(({ status }) => status),
    ["fulfilled", "fulfilled", "rejected"],
  );
  assert.is((asked[2] as PromiseRejectedResult).reason.code, "ERR_PERMISSION_LIMIT");
});

test.run();
