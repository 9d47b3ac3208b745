/** Only what is granted exists: globals and powers, seen from inside. */
import { assemblePowers } from "#dist/worker/powers.js";
import { assert, suite } from "../../harness.js";
import { type House, house, row, told } from "../../kit/host.js";
import { telling } from "../../kit/plugins.js";

const test = suite("host: only what is granted exists");

/** Each global a permission brings, as an expression that is true where it is there and works. */
const PROBES = {
  log: 'typeof console === "object"',
  setTimeout: 'typeof setTimeout === "function"',
  setInterval: 'typeof setInterval === "function"',
  clearTimeout: 'typeof clearTimeout === "function"',
  clearInterval: 'typeof clearInterval === "function"',
  now: "(() => { try { return Math.abs(Date.now() - 1e12) > 1 } catch { return false } })()",
  date: "(() => { try { return new Date().getTime() > 0 } catch { return false } })()",
  random: "(() => { try { return Math.random() < 1 } catch { return false } })()",
  powers: "Object.keys(powers).sort()",
} as const;

const ASK = `(${JSON.stringify(Object.keys(PROBES))}, ({ ${Object.entries(PROBES)
  .map(([name, expression]) => `${name}: ${expression}`)
  .join(", ")} }))`;

const NONE = {
  log: false,
  setTimeout: false,
  setInterval: false,
  clearTimeout: false,
  clearInterval: false,
  now: false,
  date: false,
  random: false,
  powers: [] as string[],
};
const TIMERS = { setTimeout: true, setInterval: true, clearTimeout: true, clearInterval: true };

async function seen(place: House, permissions: object | undefined, grant: object | undefined): Promise<unknown> {
  await place.put({ "a.js": telling("a", ASK) });
  if (permissions) await place.put({ "a.plugin.json": JSON.stringify({ permissions }) });
  const host = await place.open(grant ? { policy: { plugins: { a: { grant } } } } : {});
  assert.is(row(host, "a").state, "running", row(host, "a").refusal?.message);
  return told(host, "a");
}

test("a bare file: log, timers, clock, random and store", async (t) => {
  const all = { log: true, ...TIMERS, now: true, date: true, random: true, powers: ["log", "random", "store"] };
  assert.equal(await seen(await house(t), undefined, undefined), all);
});

test("a manifest that asks for nothing gets nothing", async (t) => {
  assert.equal(await seen(await house(t), {}, undefined), NONE);
});

const EACH: ReadonlyArray<readonly [string, object]> = [
  ["log", { log: true, powers: ["log"] }],
  ["timers", TIMERS],
  ["clock", { now: true, date: true }],
  ["random", { random: true, powers: ["random"] }],
  ["store", { powers: ["store"] }],
];
for (const [permission, brings] of EACH) {
  test(`${permission} alone`, async (t) => {
    const grant = { [permission]: true };
    assert.equal(await seen(await house(t), grant, grant), { ...NONE, ...brings });
  });
}

test("a policy's grant is all that a bare file has", async (t) => {
  assert.equal(await seen(await house(t), undefined, { log: true }), { ...NONE, log: true, powers: ["log"] });
});

test("the text and URL helpers are always there; what reaches out never is", async (t) => {
  const there = Object.keys(assemblePowers({}, { request: async () => null, notify: () => {} }).globals);
  assert.ok(there.includes("URL") && there.includes("Intl"));
  const absent = [
    ..."process module exports Buffer fetch WebSocket XMLHttpRequest Worker MessageChannel MessagePort".split(" "),
    ..."BroadcastChannel setImmediate performance crypto navigator WebAssembly SharedArrayBuffer Atomics".split(" "),
    ..."Compartment lockdown harden assert __dirname importScripts".split(" "),
  ];
  const asks = [...there, ...absent].map((name) => `typeof ${name}`).join(", ");
  const place = await house(t, {
    "a.plugin.json": '{ "permissions": {} }',
    // `require` and `global` are words the bundler writes out; the compartment has neither.
    "a.js": telling("a", `[${asks}, "require" in globalThis, "global" in globalThis]`),
  });
  const types = (await told(await place.open(), "a")) as unknown[];
  assert.equal(types.splice(-2), [false, false]);
  assert.equal(
    types.slice(0, there.length),
    there.map((name) => (name === "Intl" ? "object" : "function")),
  );
  const found = absent.filter((_, index) => types[there.length + index] !== "undefined");
  assert.equal(found, []);
});

test("everything given is frozen, and shared intrinsics are too", async (t) => {
  const expression = `[powers, powers.store, powers.store.get, powers.random.bytes, console, console.log, setTimeout, callback,
    callback.registerDriver, Object.prototype, Array.prototype, Promise, Function.prototype, Math, Date, URL, URL.prototype]
    .map((one) => Object.isFrozen(one))`;
  const place = await house(t, { "a.js": telling("a", expression) });
  assert.equal(await told(await place.open(), "a"), new Array(17).fill(true));
});

test("host.plugins() tells what is granted, with its limits", async (t) => {
  const place = await house(t, {
    "a.js": telling("a", "1"),
    "a.plugin.json": '{ "permissions": { "store": { "bytes": 1000 }, "log": true } }',
  });
  const host = await place.open({
    policy: { plugins: { a: { grant: { store: { bytes: 5000, keys: 3 }, log: true } } } },
  });
  const { grant } = row(host, "a");
  assert.equal(grant?.permissions.store, { bytes: 1000, keys: 3 });
  assert.equal(Object.keys(grant?.permissions ?? {}).sort(), ["log", "store"]);
});

test.run();
