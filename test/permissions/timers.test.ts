/** `timers`: real delays, a floor, a count, handles of its own. */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { endow } from "#dist/permissions/timers/worker.js";
import { assert, suite } from "../harness.js";
import { compartmentWith, inside, refusalOf, walk } from "./tamper.js";

const test = suite("permission timers");

const open = (t: { cleanup(undo: () => unknown): void }, minimumMs = 1, count = 64): Compartment => {
  const endowment = endow({ minimumMs, count });
  t.cleanup(() => endowment.stop?.());
  return compartmentWith({ timers: endowment });
};

test("timeouts come in order, with their arguments and no this", async (t) => {
  const seen = await inside(
    open(t),
    `new Promise((done) => {
      const seen = [];
      setTimeout(function (...args) { seen.push(this === undefined, ...args); }, 1, "a", 2);
      setTimeout(() => done(seen), "20");
    })`,
  );
  assert.equal(seen, [true, "a", 2]);
});

test("an interval repeats until cleared, from within as well", async (t) => {
  const rounds = await inside(
    open(t),
    "new Promise((done) => { let n = 0; const h = setInterval(() => { if (++n === 3) { clearInterval(h); setTimeout(() => done(n), 10); } }); })",
  );
  assert.is(rounds, 3);
});

test("handles are frozen, read as numbers, and clearing takes any", async (t) => {
  const compartment = open(t, 1, 4);
  assert.is(inside(compartment, "+setTimeout(() => {}, 5) + +setInterval(() => {}, 5)"), 3);
  assert.is(
    inside(compartment, "clearTimeout(1); globalThis.h = setTimeout(() => {}, 5); h.unref().ref() === h && h.hasRef()"),
    true,
  );
  assert.is(
    inside(compartment, "Object.isFrozen(h) && Object.isFrozen(Object.getPrototypeOf(h)) && h.constructor"),
    undefined,
  );
  inside(compartment, "clearTimeout(h)");
  for (const handle of [
    "undefined",
    "null",
    "NaN",
    "-1",
    "{}",
    "'1'",
    "1n",
    "Symbol()",
    "new Proxy({}, {})",
    "{ valueOf() { throw 1; } }",
  ]) {
    inside(compartment, `clearTimeout(${handle}), clearInterval(${handle})`);
  }
  inside(compartment, "clearTimeout(1), clearTimeout(2), clearTimeout(2)");
  for (let i = 0; i < 4; i++) inside(compartment, "setTimeout(() => {}, 1e6)");
});

test("delays are raised to the minimum, and capped where Node would fire at once", async (t) => {
  const compartment = open(t, 30);
  for (const delay of ["0", "-5", "NaN", "undefined", "null", "'x'", "false", "-0", "-Infinity"]) {
    const started = performance.now();
    await inside(compartment, `new Promise((done) => { setTimeout(done, ${delay}); })`);
    assert.ok(performance.now() - started >= 28, delay);
  }
  const fired = await inside(
    compartment,
    `new Promise((done) => {
      const far = [2 ** 31, 2 ** 53, Infinity].map((ms) => setTimeout(() => done("too early"), ms));
      setTimeout(() => { far.forEach(clearTimeout); done("in time"); }, 60);
    })`,
  );
  assert.is(fired, "in time");
});

test("a count of live timers, freed as they fire or are cleared", async (t) => {
  const compartment = open(t, 1, 3);
  const refused = refusalOf(compartment, "[1, 2, 3, 4].map(() => setInterval(() => {}, 0))");
  assert.is(refused.code, "ERR_PERMISSION_LIMIT");
  assert.ok(refused.kin && refused.message.includes("3"));
  inside(compartment, "[1, 2, 3].forEach(clearTimeout)");
  await inside(
    compartment,
    "new Promise((done) => { setTimeout(() => {}, 1); setTimeout(() => {}, 1); setTimeout(done, 5); })",
  );
  inside(compartment, "[1, 2, 3].map(() => setTimeout(() => {}, 1))");
});

test("callbacks are functions, delays are no objects", (t) => {
  const compartment = open(t);
  for (const callback of ["'attack()'", "undefined", "null", "{}", "1", "{ call() {} }", "Symbol()"]) {
    assert.is(refusalOf(compartment, `setTimeout(${callback}, 1)`).code, "ERR_PERMISSION_ARGUMENT", callback);
  }
  for (const delay of [
    "{ valueOf() { throw new Error('ran'); } }",
    "10n",
    "Symbol()",
    "new Proxy({}, { get() { throw 1; } })",
  ]) {
    assert.is(refusalOf(compartment, `setInterval(() => {}, ${delay})`).code, "ERR_PERMISSION_ARGUMENT", delay);
  }
});

test("stop clears what is left", async (t) => {
  const endowment = endow({ minimumMs: 1, count: 10 });
  const compartment = compartmentWith({ timers: endowment });
  const fired = inside(
    compartment,
    "(() => { const fired = []; setInterval(() => fired.push(1), 1); setTimeout(() => fired.push(2), 1); return fired; })()",
  );
  endowment.stop?.();
  t.cleanup(() => endowment.stop?.());
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(fired, []);
});

test("a throw in a callback is the worker's uncaught exception", async (t) => {
  const url = new URL("../../../dist/permissions/timers/worker.js", import.meta.url);
  const code = (name: string): string =>
    `import { endow } from ${JSON.stringify(url.href)};
     endow({ minimumMs: 1, count: 9 }).globals.${name}(() => { throw new RangeError("stray"); }, 1);`;
  for (const name of ["setTimeout", "setInterval"]) {
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code(name))}`));
    t.cleanup(() => worker.terminate());
    const [error] = await once(worker, "error");
    assert.is(error.message, "stray");
  }
});

test("cannot be tampered with", (t) => {
  const endowment = endow({ minimumMs: 1, count: 9 });
  t.cleanup(() => endowment.stop?.());
  assert.equal(walk({ timers: endowment }, "({ handle: { of: setTimeout(() => {}, 1) } })").findings, []);
});

test("setImmediate does not get around the minimum delay or the count", async (t) => {
  const compartment = open(t, 30, 1);
  const started = performance.now();
  assert.is(await inside(compartment, "new Promise((done) => setImmediate(done, 7))"), 7);
  assert.ok(performance.now() - started >= 29);
  assert.is(inside(compartment, "clearImmediate(setImmediate(() => {})); setImmediate(() => {}); 1"), 1);
  assert.throws(() => inside(compartment, "setImmediate(() => {})"), /timers are set/);
});

test.run();
