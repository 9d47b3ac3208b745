/** A name that the sandbox does not have: the error says so, and what there is instead. */
import { assert, rejection, suite } from "../../harness.js";
import { house, row } from "../../kit/host.js";
import { plugin } from "../../kit/plugins.js";

const test = suite("host: names a plugin does not have");

/** What a plugin's init does, and what is said of it. */
const CASES: readonly (readonly [code: string, says: RegExp])[] = [
  [
    'fetch("http://example.com")',
    /the sandbox has no fetch: a plugin opens no connections; the permissions "netlink", "firewall"/,
  ],
  ["process.env.PATH", /the sandbox has no process: what an operator configures comes with config\(options\)/],
  ["process\n    .cwd()", /the sandbox has no process: /],
  ["globalThis.require('fs')", /globalThis\.require is not a function; the sandbox has no require: write "import" at/],
  ["globalThis.fetch('http://x')", /globalThis\.fetch is not a function; the sandbox has no fetch: /],
  ["Buffer.from('x')", /the sandbox has no Buffer: use Uint8Array/],
  ["new WebSocket('ws://x')", /the sandbox has no WebSocket: a plugin opens no connections/],
  ["setInterval(() => {}, 10)", /the sandbox has no setInterval: ask for "timers" under "permissions" in the manifest/],
  ["console.log(1)", /the sandbox has no console: ask for "log" under "permissions"/],
  ["powers.store.get('x')", /powers\.store is not granted: ask for "store" under "permissions"/],
  ["Date.now()", /the sandbox has no clock unless it is granted: ask for "clock"/],
  ["Math.random()", /the sandbox has no random numbers unless it is granted: ask for "random"/],
  ["const own = undefined; own.field", /reading 'field'\) \(bad\.js:\d+\)$/],
];

for (const [code, says] of CASES) {
  test(`init: ${code.replace(/\s+/g, " ")}`, async (t) => {
    const { open } = await house(t, {
      "bad.js": plugin("bad", { start: `${code};` }),
      "bad.plugin.json": '{ "permissions": {} }',
    });
    const { refusal } = row(await open(), "bad");
    assert.is(refusal?.code, "ERR_PLUGIN_INIT");
    assert.match(refusal?.message ?? "", says);
    assert.match(refusal?.message ?? "", /\(bad\.js:[34]\)$/);
  });
}

test("a method of the console's, which the editor's types have", async (t) => {
  const { open } = await house(t, { "bad.js": plugin("bad", { start: "console.table([1]);" }) });
  assert.match(
    row(await open(), "bad").refusal?.message ?? "",
    /the sandbox's console has no table: it has log, info, warn, error, debug, trace and assert \(bad\.js:\d\)$/,
  );
});

test("in a driver's method", async (t) => {
  const { open } = await house(t, {
    "bad.js": plugin("bad", { methods: "async createNetwork() { await fetch(1); }," }),
  });
  const error = await rejection((await open()).driver("bad").createNetwork("n"));
  assert.is(error.code, "ERR_DRIVER_FAILED");
  assert.match(error.message, /the sandbox has no fetch: /);
});

test.run();
