/** `bench` puts a plugin's own drivers under load, tells what they bear, and leaves nothing behind. */
import { readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assert, suite, type TestContext } from "../harness.js";
import { plugin as pluginText } from "../kit/plugins.js";
import { cli, fill, withoutPrograms } from "./cli.js";

const test = suite("cli/bench");

const driver = (create: string): string =>
  pluginText("one", {
    start: "const alive = new Set();",
    methods: `createEndpoint(nid, eid, info) { ${create} info.addInterface(0, "", "10.1.0.2/16", ""); },`,
  });

async function plugin(t: TestContext, create = ""): Promise<string> {
  const root = await t.folder();
  await fill(root, { "one.js": driver(create) });
  return join(root, "one.js");
}

const leftovers = async (): Promise<string[]> =>
  (await readdir(tmpdir())).filter((name) => name.startsWith("bulkhead-bench-"));

interface Line {
  readonly loop: string;
  readonly inFlight: number | null;
  readonly offered: number | null;
  readonly perSecond: number;
  readonly callsPerSecond: number;
  readonly latency: { readonly p50: number; readonly p99: number; readonly max: number };
}

const SHORT = ["--isolation", "thread", "--seconds", "0.1"];

test("closed loop at 1, 64 and 256 in flight, open loop at half of saturation", async (t) => {
  const before = await leftovers();
  for (const [work, calls] of [
    ["endpoint", 2],
    ["lifecycle", 5],
    ["network", 7],
  ] as const) {
    const ran = await cli(["bench", await plugin(t), ...SHORT, "--work", work, "--json"]);
    assert.is(ran.exit, 0, ran.out);
    const { isolation, drivers } = ran.json() as unknown as {
      isolation: string;
      drivers: { type: string; rows: Line[] }[];
    };
    assert.is(isolation, "thread");
    assert.equal(
      drivers.map(({ type }) => type),
      ["one"],
    );
    const rows = drivers[0]?.rows ?? [];
    assert.equal(
      rows.map(({ loop, inFlight }) => [loop, inFlight]),
      [
        ["closed", 1],
        ["closed", 64],
        ["closed", 256],
        ["open", null],
      ],
    );
    const saturation = Math.max(...rows.slice(0, 3).map(({ perSecond }) => perSecond));
    assert.ok(Math.abs((rows[3]?.offered ?? 0) - saturation / 2) < 1);
    for (const { perSecond, callsPerSecond, latency } of rows) {
      assert.ok(perSecond > 0);
      assert.ok(Math.abs(callsPerSecond / perSecond - calls) < 1e-6);
      assert.ok(latency.p50 > 0 && latency.p50 <= latency.p99 && latency.p99 <= latency.max);
    }
  }
  assert.equal(await leftovers(), before);
});

test("a table for people", async (t) => {
  const ran = await cli(["bench", await plugin(t), ...SHORT]);
  assert.is(ran.exit, 0, ran.err);
  assert.match(ran.out, /^one, isolation "thread"; a unit of work "endpoint" is 2 calls\n\nDRIVER one +UNITS\/S/);
  assert.match(ran.out, /\n256 in flight +\d+ +\d+ +\d+/);
  assert.match(ran.out, /\n\d+\/s offered +\d+/);
});

test("what stands around the driver is told, and what is missing of that", async (t) => {
  const args = ["bench", await plugin(t), "--isolation", "process", "--seconds", "0.1"];
  const [ran, json] = await withoutPrograms(await t.folder(), async () => [
    await cli(args),
    await cli([...args, "--json"]),
  ]);
  assert.match(ran.out, /^one, isolation "process" behind node; .*\n\nthe wall is weakened: .*"bwrap"/);
  assert.is((json.json().wall as { name: string }).name, "node");
});

test("a driver that fails ends it, with its own words", async (t) => {
  const before = await leftovers();
  const path = await plugin(t, 'if (alive.size >= 300) throw new Error("full"); alive.add(eid);');
  const ran = await cli(["bench", path, ...SHORT, "--json"]);
  assert.equal([ran.exit, ran.json().error?.code], [1, "ERR_DRIVER_FAILED"]);
  assert.match(ran.json().error?.message ?? "", "full");
  assert.equal(await leftovers(), before);
});

test("wrong use is told before anything is loaded", async () => {
  for (const [flags, words] of [
    [["--isolation", "vm"], "--isolation is one of thread, process, dedicated"],
    [["--work", "play"], "--work is one of endpoint, lifecycle, network"],
    [["--seconds", "61"], "--seconds is a number above 0 and at most 60"],
    [["--seconds", "0"], "--seconds is"],
    [["--network-options", "[]"], "--network-options is a JSON object"],
  ] as const) {
    const ran = await cli(["bench", "nowhere.js", ...flags, "--json"]);
    assert.equal([ran.exit, ran.json().error?.code], [2, "ERR_USAGE"]);
    assert.match(ran.json().error?.message ?? "", words);
  }
  const ran = await cli(["bench", "nowhere.js", "--json"]);
  assert.equal([ran.exit, ran.json().error?.code], [1, "ERR_PLUGIN_FILE"]);
});

test.run();
