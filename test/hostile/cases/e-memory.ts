/** Class E, memory and handles: what outgrows its share. */
import { strict as assert } from "node:assert";
import { EndpointConfig } from "#dist/driverapi/endpoint-config.js";
import type { DriverError } from "#dist/driverapi/errors.js";
import type { Arena } from "../arena.js";
import type { HostileCase, Outcome } from "../case.js";
import { hostile } from "../source.js";

/** Mebibytes of ArrayBuffers one bomb takes: far over its class, far under what this test's machine has. */
const BOMB_MB = 384;
/** And what it tries to take behind the wall: over what a shared host process may have. */
const WALLED_BOMB_MB = 1280;

/** All the work is the attack's own: nothing runs beside it, and on a busy machine it has the time it takes to outgrow its share. */
const HEAVY = { alone: true, ms: 60_000, policy: { timeouts: { default: 30_000, init: 3000 } } } as const;

/** Bombs in `createNetwork`; the worker must end for memory, and the plugin be back. */
async function outOfMemory(arena: Arena): Promise<Outcome> {
  await assert.rejects(arena.driver().createNetwork("bomb"), (error: { code?: string }) =>
    /^ERR_(OUTCOME_UNKNOWN|DRIVER_BUSY|DRIVER_TIMEOUT)$/.test(error.code ?? ""),
  );
  await arena.event("plugin:restarting", "ERR_PLUGIN_MEMORY");
  arena.told("ERR_PLUGIN_MEMORY");
  await arena.event("plugin:restarted");
  return "plugin ended";
}

const bomb = (item: number, title: string, code: string): HostileCase => ({
  item,
  title,
  ...HEAVY,
  source: hostile({ methods: { createNetwork: `createNetwork(nid) { if (nid !== "bomb") return; ${code} }` } }),
  run: outOfMemory,
});

/** V8 itself gives up, and takes the process along: no limit of a worker prevents it. */
const abort = (item: number, title: string, code: string): HostileCase => ({
  item,
  title,
  aborts: true,
  ...HEAVY,
  source: hostile({ methods: { createNetwork: `createNetwork(nid) { if (nid !== "bomb") return; ${code} }` } }),
  async run({ driver, pulse }) {
    await assert.rejects(driver().createNetwork("bomb"));
    await pulse.answers(3);
    return "host ended and recovered";
  },
});

export const MEMORY: readonly HostileCase[] = [
  bomb(34, "many small objects, linked", "let last; for (;;) last = { last };"),
  bomb(
    34,
    "many closures, many promises",
    "const all = []; let n = 0; for (;;) { n++; const mine = n; all[n % 1000] = { before: all[n % 1000], fn: () => mine, promise: new Promise(() => {}) }; }",
  ),
  abort(35, "new Array(5e7).fill(0)", "new Array(5e7).fill(0);"),
  abort(
    35,
    "a search in a string of 2^28 characters",
    `const text = "x".repeat(2 ** 28); const all = []; for (let i = 0; i < 1e6; i++) all.push({ at: i === 0 ? text.indexOf("y") : text.length });`,
  ),
  {
    item: 36,
    title: "ArrayBuffers of many times a worker's 32 MiB",
    ...HEAVY,
    source: hostile({
      top: "const held = [];",
      methods: {
        createNetwork: `createNetwork(nid, { mb }, { replay }) { if (replay) return; try { while (held.length < mb / 16) { const one = new Uint8Array(16 * 1048576); one.fill(1); held.push(one); } } catch (error) { saw.refused = error.message; } saw.mb = held.length * 16; }`,
      },
    }),
    async run({ isolation, pulse, driver, host, info, event, told }) {
      const before = process.memoryUsage.rss();
      if (isolation !== "thread") {
        // It is refused more, or ended on the way; what it holds by then is too much in any case.
        const made = driver().createNetwork("n", { mb: WALLED_BOMB_MB });
        await made.catch(({ code }: DriverError) => assert.match(code, /^ERR_(OUTCOME_UNKNOWN|DRIVER_BUSY)$/));
        const { code } = await event("plugin:restarting");
        assert.match(String(code), /^ERR_(PLUGIN_MEMORY|HOST_PROCESS)$/);
        told(String(code));
        await event("plugin:restarted");
        return "host ended and recovered";
      }
      await driver().createNetwork("n", { mb: BOMB_MB });
      await driver().createEndpoint("n", "e", new EndpointConfig());
      const saw = await driver().endpointOperInfo("n", "e");
      const grown = Math.round((process.memoryUsage.rss() - before) / 1048576);
      assert.equal(saw.mb, BOMB_MB);
      await pulse.answers(20);
      console.log(
        `\nNOTE 36 a worker of 32 MiB holds ${BOMB_MB} MiB of ArrayBuffers: the process grew by ${grown} MiB, and the neighbour was answered within ${Math.round(pulse.longestMs)} ms`,
      );
      await driver().deleteEndpoint("n", "e");
      await driver().deleteNetwork("n");
      await host.unload("hostile");
      assert.equal(info().state, "stopped");
      return "not stopped (named)";
    },
  },
  {
    item: 37,
    title: "wasm memory: WebAssembly is not reachable",
    source: hostile({
      top: `attempt("name", () => WebAssembly.Memory); attempt("eval", () => (0, eval)("new WebAssembly.Memory({ initial: 65536 })")); attempt("globalThis", () => new globalThis.WebAssembly.Memory({ initial: 65536 })); attempt("Function", () => Function("return new WebAssembly.Module(new Uint8Array([0,97,115,109,1,0,0,0]))")());`,
    }),
    async run({ report }) {
      for (const [name, what] of Object.entries(await report()))
        assert.match(String(what), /^threw /, `${name}: ${what}`);
      return "refused inside";
    },
  },
  {
    item: 38,
    title: "strings doubled to V8's bound",
    source: hostile({
      top: `attempt("doubling", () => { let text = "x"; for (;;) text += text; }); attempt("repeat", () => "x".repeat(2 ** 30)); attempt("padEnd", () => "x".padEnd(2 ** 30)); attempt("join", () => Array(2 ** 20).fill("x".repeat(2 ** 12)).join("")); attempt("concat", () => { const half = "x".repeat(2 ** 28); return half.concat(half, half); });`,
    }),
    async run({ report }) {
      for (const [name, what] of Object.entries(await report()))
        assert.match(String(what), /^threw RangeError: Invalid string length/, `${name}: ${what}`);
      return "refused inside";
    },
  },
  bomb(
    38,
    "many strings of a mebibyte",
    `const all = []; for (let i = 0; ; i++) { const text = "x".repeat(1 << 20) + i; text.charCodeAt(5); all.push(text); }`,
  ),
  {
    item: 38,
    title: "a thrown message, name and code of 100 million characters",
    source: hostile({
      methods: {
        createNetwork: `createNetwork(nid) { if (nid === "n") return; const long = "x".repeat(1e8); if (nid === "string") throw long; throw Object.assign(new Error(long), { name: long, code: long, kind: long }); }`,
      },
    }),
    async run({ driver, info, report }) {
      for (const nid of ["error", "string"]) {
        await assert.rejects(driver().createNetwork(nid), {
          code: "ERR_DRIVER_FAILED",
          message: /^\[text of 100000000 characters\]/,
        });
      }
      await report();
      assert.equal(info().counters.restarts, 0);
      return "refused inside";
    },
  },
  {
    item: 39,
    title: "deep recursion, deep JSON, chains of proxies, of binds, of rejections",
    source: hostile({
      top: `
      attempt("recursion", () => { const down = () => down() + 1; return down(); });
      attempt("getters", () => { const it = { get a() { return this.a; } }; return it.a; });
      attempt("proxies", () => { let it = {}; for (let i = 0; i < 1e5; i++) it = new Proxy(it, {}); return it.x; });
      attempt("clone", () => { let it = {}; for (let i = 0; i < 2e4; i++) it = { it }; structuredClone(it); console.log(it); throw new Error("done"); });`,
      methods: {
        endpointOperInfo: `endpointOperInfo(nid) { const mode = saw.mode = (saw.mode ?? 0) + 1; if (mode > 3) return saw; let it = mode === 2 ? [] : {}; for (let i = 0; i < 5e4; i++) it = mode === 1 ? { it } : mode === 2 ? [it] : new Proxy(it, {}); return mode === 3 ? it : { it }; }`,
      },
    }),
    async run({ endpoint, driver, report }) {
      await endpoint();
      for (let i = 0; i < 3; i++)
        await assert.rejects(driver().endpointOperInfo("n", "e"), /ERR_DRIVER_(REPLY|FAILED)|call stack|nested|read/);
      const { mode, clone, ...saw } = await report();
      assert.equal(mode, 4);
      assert.equal(clone, "threw Error: done");
      for (const [name, what] of Object.entries(saw))
        assert.match(String(what), /^threw RangeError: Maximum call stack/, `${name}: ${what}`);
      return "refused inside";
    },
  },
  // The compiler of regular expressions in Node 20's V8 treats a full stack as a lack of memory, and aborts; Node 24's does not.
  ...(Number(process.versions.node.split(".")[0]) >= 24
    ? []
    : [
        abort(
          39,
          "a regular expression compiled at the edge of the stack",
          `let n = 0; const down = () => { try { down(); } catch (error) { if (n++ < 300) try { new RegExp("(a" + n + "|b|c)+d").exec("xxabc"); } catch {} throw error; } }; down();`,
        ),
      ]),
  {
    item: 40,
    title: "timers, listeners, handles and requests left behind over 30 rounds of reload",
    ms: 180_000,
    alone: true,
    source: hostile({
      top: `const held = [];`,
      init: `for (let i = 0; i < 100; i++) { setInterval(() => {}, 1); held.push(powers.store.set("k" + i, i).catch(() => {}), new TextDecoder(), new URL("http://a/")); }`,
      methods: { config: `config() { held.push(new Promise(() => {})); }` },
    }),
    async run({ host, info, driver, pulse }) {
      const handles = (): number =>
        process.getActiveResourcesInfo().filter((name) => name !== "Timeout" && name !== "Immediate").length;
      // Reloads in quick succession fill the shared process, and open another one.
      for (let round = 0; round < 10; round++) await host.reload("hostile");
      // The next spare, whose port is one, is started a moment after the last one was taken.
      let before = handles();
      for (const end = performance.now() + 500; performance.now() < end; before = Math.max(before, handles()))
        await pulse.answers(1);
      for (let round = 0; round < 30; round++) {
        await host.reload("hostile");
        assert.equal(driver().type(), "hostile");
      }
      assert.equal(info().counters.restarts, 0);
      await pulse.answers(5);
      // One process more may serve by then, which has three; 30 rounds that each left one behind would be far above that.
      const most = before + 3;
      for (const end = performance.now() + 10_000; handles() > most && performance.now() < end; )
        await pulse.answers(1);
      assert.ok(
        handles() <= most,
        `${handles()} handles, and there were ${before}: ${process.getActiveResourcesInfo().join()}`,
      );
      return "refused inside";
    },
  },
];
