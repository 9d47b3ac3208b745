/** Class D, time: code that does not return. The neighbour does not wait for it, even if others do. */
import { strict as assert } from "node:assert";
import { EndpointConfig } from "#dist/driverapi/endpoint-config.js";
import type { DriverError } from "#dist/driverapi/errors.js";
import { JoinConfig } from "#dist/driverapi/join-config.js";
import type { HostedDriver } from "#dist/driverapi/types.js";
import { type Arena, TIMEOUTS } from "../arena.js";
import type { HostileCase, Outcome } from "../case.js";
import { hostile } from "../source.js";

const LOOP = "for (;;);";

/** A loop keeps a processor busy until its deadline: that of a call, and that of a start, in which the worker must come to it. */
const LOOP_MS = 500;
const LOADING_MS = 1200;

/** Policy of a plugin that loops in `method`; none shorter for a method that it must first answer. */
function endsSoon(method: string): Pick<HostileCase, "policy"> {
  if (method === "config" || method === "createEndpoint") return {};
  const ms = method === "init" ? LOADING_MS : LOOP_MS;
  return { policy: { timeouts: { ...TIMEOUTS, [method]: ms } } };
}

/** The call must be answered with an error of these, and the operator told that the plugin was ended for blocking. */
async function blockedBy(arena: Arena, call: (driver: HostedDriver) => Promise<unknown>): Promise<Outcome> {
  const started = performance.now();
  const error = await call(arena.driver()).then(
    () => assert.fail("the call was answered"),
    (one: DriverError) => one,
  );
  assert.match(error.code, /^ERR_(DRIVER_TIMEOUT|OUTCOME_UNKNOWN|DRIVER_BUSY)$/, error.message);
  assert.ok(performance.now() - started < 3000, "the caller waited past its deadline");
  await arena.event("plugin:restarting", "ERR_PLUGIN_BLOCKED");
  arena.told("ERR_PLUGIN_BLOCKED");
  return "plugin ended";
}

/** A plugin that never came up. */
function refusedAtStart({ info, told }: Arena, code: RegExp): Outcome {
  assert.equal(info().state, "refused");
  assert.match(info().refusal?.code ?? "", code, info().refusal?.message);
  told(info().refusal?.code ?? "");
  return "plugin ended";
}

const CALLS: Readonly<Record<string, (driver: HostedDriver) => Promise<unknown>>> = {
  config: (driver) => driver.config({ loop: true }),
  createNetwork: (driver) => driver.createNetwork("loop"),
  deleteNetwork: (driver) => driver.deleteNetwork("n"),
  createEndpoint: (driver) => driver.createEndpoint("n", "loop", new EndpointConfig()),
  deleteEndpoint: (driver) => driver.deleteEndpoint("n", "e"),
  endpointOperInfo: (driver) => driver.endpointOperInfo("n", "e"),
  join: (driver) => driver.join("n", "e", "sandbox", new JoinConfig([])),
  leave: (driver) => driver.leave("n", "e"),
};

function loopIn(method: string): HostileCase {
  return {
    item: 27,
    title: `a loop in ${method}()`,
    ...endsSoon(method),
    source: hostile({
      methods: {
        [method]: `${method}(...args) { if (${method === "config" ? "args[0].loop" : `"${method}".startsWith("create") ? args.includes("loop") : true`}) ${LOOP} }`,
      },
    }),
    async run(arena) {
      if (method === "leave") await arena.endpoint().then(() => CALLS.join?.(arena.driver()));
      else if (!method.startsWith("createNetwork") && method !== "config") await arena.endpoint();
      if (method === "deleteNetwork") await arena.driver().deleteEndpoint("n", "e");
      return blockedBy(arena, CALLS[method] as (driver: HostedDriver) => Promise<unknown>);
    },
  };
}

const atStart = (item: number, title: string, source: string, code = /^ERR_PLUGIN_INIT_TIMEOUT$/): HostileCase => ({
  item,
  title,
  source,
  ...endsSoon("init"),
  run: async (arena) => refusedAtStart(arena, code),
});

/** `createNetwork("loop")` does it; every other call is harmless. */
const inCall = (item: number, title: string, code: string): HostileCase => ({
  item,
  title,
  source: hostile({
    top: "let granted;",
    init: "granted = powers;",
    methods: { createNetwork: `async createNetwork(nid, options, ctx) { if (nid !== "loop") return; ${code} }` },
  }),
  ...endsSoon("createNetwork"),
  run: (arena) => blockedBy(arena, (driver) => driver.createNetwork("loop")),
});

export const TIME: readonly HostileCase[] = [
  atStart(27, "a loop at load", hostile({ top: LOOP })),
  atStart(27, "a loop in init", hostile({ init: LOOP })),
  atStart(27, "a loop in init, after an await", hostile({ init: `await null; ${LOOP}` })),
  atStart(27, "a loop in type()", hostile({ methods: { type: `type() { ${LOOP} }` } })),
  atStart(
    27,
    "a loop in config() at registration",
    hostile({ methods: { config: `config() { ${LOOP} }` } }),
    /^ERR_PLUGIN_(INIT_TIMEOUT|INIT|BLOCKED)$/,
  ),
  ...Object.keys(CALLS).map(loopIn),
  inCall(27, "a loop in a timer", `setTimeout(() => { ${LOOP} }, 1); await new Promise(() => {});`),
  inCall(
    27,
    "a chain of microtasks without end",
    `const again = () => { queueMicrotask(again); }; again(); await new Promise(() => {});`,
  ),
  inCall(27, "a chain of awaits without end", "for (;;) await null;"),
  inCall(
    27,
    "a chain of microtasks that keeps sending frames",
    `for (;;) { granted.store.get("k").catch(() => {}); console.log("x"); await null; }`,
  ),
  inCall(28, "a catastrophic regular expression", `/^(?:a+)+$/.exec("a".repeat(40) + "b");`),
  atStart(29, "a promise that never settles, in init", hostile({ init: "await new Promise(() => {});" })),
  atStart(
    29,
    "a promise that never settles, from type()",
    hostile({ methods: { type: "type() { return new Promise(() => {}); }" } }),
  ),
  inCall(
    29,
    "a promise that never settles, in a call: answered at its deadline, ended at the next",
    "await new Promise(() => {});",
  ),
  {
    item: 30,
    title: "a native call that cannot be interrupted: the kill waits for it, and nobody else",
    ms: 60_000,
    // 2 to 4 seconds of string search inside V8, which looks at no interrupt.
    source: hostile({
      methods: {
        createNetwork: `createNetwork(nid) { if (nid !== "loop") return; const n = 2 ** 18; "a".repeat(n).indexOf("a".repeat(n / 4) + "b" + "a".repeat(n / 4)); }`,
      },
    }),
    async run(arena) {
      const outcome = await blockedBy(arena, (driver) => driver.createNetwork("loop"));
      // The plugin is back in a new worker while the old thread still computes.
      await arena.event("plugin:restarted");
      await arena.driver().createNetwork("other");
      await arena.pulse.answers(20);
      return outcome;
    },
  },
  inCall(
    30,
    "long native calls that can be interrupted: JSON, sort, BigInt",
    `for (;;) { JSON.parse(JSON.stringify(Array.from({ length: 1e4 }, (_, i) => i)).repeat(1)); Array.from({ length: 2e4 }, (_, i) => (i * 7919) % 20011).sort((a, b) => a - b); (3n ** 20000n).toString(); }`,
  ),
  inCall(
    31,
    "a loop in finally",
    `try { await new Promise((_, no) => setTimeout(no, 10)); } catch {} finally { ${LOOP} }`,
  ),
  inCall(
    31,
    "a loop in the cancel handler",
    `ctx.signal.addEventListener("abort", () => { ${LOOP} }); await new Promise(() => {});`,
  ),
  {
    item: 31,
    title: "a throw in the cancel handler is the plugin's crash",
    source: hostile({
      methods: {
        createNetwork: `createNetwork(nid, options, ctx) { ctx.signal.addEventListener("abort", () => { throw new Error("in abort"); }); return new Promise(() => {}); }`,
      },
    }),
    async run({ driver, event, told }) {
      await assert.rejects(driver().createNetwork("n"), { code: "ERR_DRIVER_TIMEOUT" });
      const { reason } = await event("plugin:restarting", "ERR_PLUGIN_CRASHED");
      assert.match(String(reason), /in abort/);
      told("ERR_PLUGIN_CRASHED");
      return "plugin ended";
    },
  },
  {
    item: 32,
    title: "timer storms: the grant's count and minimum delay hold, and the plugin's own calls are answered",
    source: hostile({
      init: `
        let set = 0, ticks = 0;
        try { for (;;) { setInterval(() => { ticks++; try { setTimeout(() => {}, 0); } catch {} }, 0); set++; } } catch (error) { saw.refused = error.code; }
        saw.set = set;
        saw.again = "no"; try { for (let i = 0; i < 1000; i++) setTimeout(() => {}, -1); } catch (error) { saw.again = error.code; }`,
    }),
    async run({ report }) {
      const saw = await report();
      assert.equal(saw.refused, "ERR_PERMISSION_LIMIT");
      assert.equal(saw.again, "ERR_PERMISSION_LIMIT");
      assert.ok(Number(saw.set) <= 1024, `${saw.set} timers`);
      return "refused inside";
    },
  },
  atStart(33, "a throw at load", hostile({ top: `throw new Error("at load");` }), /^ERR_PLUGIN_LOAD$/),
  atStart(
    33,
    "a stray rejection in init",
    hostile({ init: `Promise.reject(new Error("stray")); await new Promise((ok) => setTimeout(ok, 100));` }),
    /^ERR_PLUGIN_CRASHED$/,
  ),
  {
    item: 33,
    title: "a crash at each call: restarts back off, then the breaker opens and answers at once",
    ms: 60_000,
    source: hostile({
      methods: {
        endpointOperInfo: `endpointOperInfo() { setTimeout(() => { throw new Error("again"); }, 0); return new Promise(() => {}); }`,
      },
    }),
    async run({ endpoint, driver, event, told, info }) {
      await endpoint();
      let last: DriverError | undefined;
      for (let i = 0; i < 40 && info().state !== "unavailable"; i++) {
        last = await driver()
          .endpointOperInfo("n", "e")
          .then(
            () => undefined,
            (error: DriverError) => error,
          );
        assert.match(
          last?.code ?? "",
          /^ERR_(OUTCOME_UNKNOWN|PLUGIN_UNAVAILABLE|DRIVER_BUSY|DRIVER_TIMEOUT)$/,
          last?.message,
        );
      }
      await event("plugin:unavailable", "ERR_PLUGIN_CRASHED");
      told("ERR_PLUGIN_CRASHED");
      assert.ok(info().counters.restarts >= 3);
      return "plugin ended";
    },
  },
];
