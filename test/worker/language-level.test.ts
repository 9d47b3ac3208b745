/** A plugin finds one language, whatever engine runs it. Importing the worker's lockdown locks this process down. */
import { createHash } from "node:crypto";
import { lockdownRealm } from "#dist/worker/lockdown.js";
import { evaluateBundle } from "#dist/worker/sandbox.js";
import { assert, suite } from "../harness.js";

const test = suite("worker: the language");
const realm = lockdownRealm();
const run = (expression: string): unknown => {
  const code = `var __plugin__=(()=>({use:()=>(${expression})}))();`;
  const { use } = evaluateBundle(realm, "p", code, {}) as { use: () => unknown };
  return JSON.parse(JSON.stringify(use() ?? null));
};

test("what ES2025 has is there", async () => {
  const cases: ReadonlyArray<readonly [string, unknown]> = [
    ["[1, 2, 3].values().map((n) => n * 2).filter((n) => n > 2).drop(1).toArray()", [6]],
    ["[1, 2].values().flatMap((n) => [n, n]).reduce((a, b) => a + b)", 6],
    ["[...Iterator.from({ n: 0, next() { return { done: this.n > 1, value: this.n++ }; } }).take(5)]", [0, 1]],
    ["[3, 4].values().some((n) => n > 3) && [3].values().every(Boolean) && [1].values().find((n) => n === 1)", 1],
    ["[...new Set([1, 2]).union(new Set([3]))]", [1, 2, 3]],
    ["[...new Set([1, 2]).intersection(new Set([2, 3]))]", [2]],
    ["[...new Set([1, 2]).symmetricDifference(new Set([2, 3]))]", [1, 3]],
    ["[new Set([1]).isSubsetOf(new Set([1, 2])), new Set([1]).isDisjointFrom(new Set([1]))]", [true, false]],
    ["Object.groupBy([1, 2, 3], (n) => (n % 2 ? 'odd' : 'even'))", { odd: [1, 3], even: [2] }],
    ["[...Map.groupBy([1, 2], (n) => n % 2).keys()]", [1, 0]],
    ["Object.keys(Promise.withResolvers()).sort()", ["promise", "reject", "resolve"]],
    ["typeof Promise.try + typeof Array.fromAsync", "functionfunction"],
  ];
  for (const [expression, expected] of cases) assert.equal(run(expression), expected, expression);
});

test("taking from an endless iterator closes it", () => {
  assert.is(
    run(
      "(() => { let closed = 0; function* all() { try { for (let n = 0; ; n++) yield n; } finally { closed++; } } all().take(2).toArray(); return closed; })()",
    ),
    1,
  );
});

test("Reflect can be extended, and what it has cannot be reached through it", () => {
  assert.is(run("(Reflect.mine = 1, Reflect.mine)"), 1);
  assert.is(run("Reflect.mine"), null);
  assert.is(run("(() => { try { Reflect.get.x = 1; } catch (e) { return e.name; } })()"), "TypeError");
});

/** The names a compartment has, on each engine the same. When SES learns a new one, look at it and write the new sum here. */
test("every name is the same on every engine", () => {
  const names =
    run(`(() => { const out = []; for (const n of Object.getOwnPropertyNames(globalThis)) { const v = globalThis[n]; out.push(n);
    if (Object(v) !== v || n === "globalThis" || n === "__plugin__") continue; for (const k of Reflect.ownKeys(v)) out.push(n + "." + String(k));
    if (v.prototype) for (const k of Reflect.ownKeys(v.prototype)) out.push(n + "#" + String(k)); } return out.sort(); })()`) as string[];
  for (const absent of ["Temporal", "Map#getOrInsert", "Math.f16round", "Uint8Array.fromBase64", "JSON.rawJSON"])
    assert.not.ok(names.includes(absent), absent);
  assert.is(createHash("sha256").update(names.join()).digest("hex").slice(0, 16), "3047ae91446a8468");
});

test.run();
