/** The benchmark's table: a row for each bar, and `--json` in the shape that is promised. */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { assert, suite } from "../harness.js";
import { REPO } from "../kit/host.js";
import type { BenchFile } from "./bench.js";
import { chart } from "./chart.js";
import { compareRows } from "./compared.js";
import { type Row, rowOf } from "./row.js";
import { MEASURES } from "./rows/all.js";

const test = suite("load: the benchmark");
const SPECS = MEASURES.flatMap(({ rows }) => rows);
const BENCH = join(REPO, "build/test/load/bench.js");
const run = promisify(execFile);

/** The bars, as they were set: id, direction, bar, aim. */
const BARS = [
  ["saturation-thread-raw-echo", "at least", 0.45, 0.6],
  ["saturation-thread-comlink", "at least", 1.2, 1.5],
  ["saturation-process-http", "at least", 5, 7],
  ["sequential-thread-raw-echo", "at most", 1.5, 1.2],
  ["sequential-process-http", "at most", 0.85, 0.6],
  ["open-loop-tail", "at most", 20, 8],
  ["spare-load", "at most", 10, 5],
  ["hang-recovery", "at most", 50, 15],
  ["cold-load", "at most", 1.3, 1.1],
  ["memory-128", "at most", 1.3, 1.1],
  ["scale-256", "at most", 1.2, 1],
  ["builtins", "at most", 1.3, 1.1],
  ["gateway-wrk", "at least", 0.5, 0.8],
  ["neighbours-hostile", "at most", 5, 1.5],
  ["start-stall", "at most", 5, 2],
  ["platform-processor", "at most", 0.6, 0.45],
  ["memory-dedicated", "at most", 0.7, 0.5],
  ["journal-lifecycles", "at least", 0.75, 0.9],
  ["storage-processor", "at most", 0.5, 0.35],
  ["storage-append-1", "at most", 1.2, 1.05],
  ["storage-append-64", "at most", 1.2, 1.05],
  ["storage-lmdb", "at most", 1, 0.33],
  ["storage-sqlite", "at most", 1, 0.33],
  ["storage-replay", "at most", 0.5, 0.25],
  ["storage-memory", "at most", 0.7, 0.5],
  ["docker-run", "at most", 1.12, 1.05],
  ["docker-run-publish", "at most", 1.15, 1.05],
  ["docker-run-50", "at most", 1.15, 1.05],
  ["docker-run-egress", "at most", 1.12, 1.05],
  ["docker-network-create", "at most", 1, 0.8],
  ["docker-ps", "at most", 1.5, 1],
  ["cni-add", "at most", 1.2, 1],
  ["egress-connect", "at most", 1.5, 1.2],
  ["egress-throughput", "at least", 0.95, 1],
] as const;

test("a row per bar, ids once, five rounds each but two, in under ten minutes", () => {
  const barred = SPECS.filter(({ bar }) => bar !== null);
  assert.equal(
    barred.map(({ id, direction, bar, aim }) => [id, direction, bar, aim]),
    BARS.map((row) => [...row]),
  );
  const ids = SPECS.map(({ id }) => id);
  assert.is(new Set(ids).size, ids.length);
  for (const id of ids) assert.match(id, /^[a-z0-9]+(-[a-z0-9]+)*$/);
  const fewer = MEASURES.filter(({ rows, rounds }) => rows.some(({ bar }) => bar !== null) && rounds !== undefined);
  assert.equal(
    fewer.map(({ rows, rounds }) => [rows[0]?.id, rounds]),
    [
      ["memory-128", 2],
      ["scale-256", 3],
    ],
    "what a loaded host of hundreds of plugins costs is worth two or three runs, all else five",
  );
  const unnamed = MEASURES.filter(({ onlyNamed }) => !onlyNamed);
  assert.ok(unnamed.reduce((sum, { seconds }) => sum + seconds, 0) < 600);
});

test("README.md here has a result for each row with a bar, and the bar is the row's", async () => {
  const page = await readFile(join(REPO, "test/load/README.md"), "utf8");
  const rows = [...page.matchAll(/^\| (.+?) \| .* \| ([≤≥] [\d.]+)[^|]* \| (?:yes|no) \|$/gm)];
  assert.equal(
    rows.map(([, what, bar]) => `${what} ${bar}`).sort(),
    SPECS.flatMap(({ what, bar, direction }) =>
      bar === null ? [] : [`${what} ${direction === "at least" ? "≥" : "≤"} ${bar}`],
    ).sort(),
  );
});

test(
  "a smoke run of two measures: the table, the JSON, the chart",
  async (t) => {
    const folder = await t.folder();
    const [json, svg] = [join(folder, "bench.json"), join(folder, "chart.svg")];
    const only = ["--only", "sequential-thread-raw-echo,curve-thread,curve-raw-echo"];
    const { stdout } = await run(process.execPath, [BENCH, "--smoke", ...only, "--json", json, "--chart", svg], {
      cwd: REPO,
    });
    assert.match(stdout, /^(met|NOT MET) +sequential-thread-raw-echo .* × raw postMessage echo .*bar ≤ 1\.5 ×$/m);
    const { meta, rows, curves } = JSON.parse(await readFile(json, "utf8")) as BenchFile;
    for (const key of ["commit", "node", "cpu", "cores", "date", "isolation", "settings", "loadBefore", "loadAfter"])
      assert.ok(key in meta, key);
    assert.equal(
      rows.map(({ id }) => id),
      ["sequential-thread-raw-echo", "curve-thread", "curve-raw-echo"],
    );
    for (const row of rows) {
      for (const key of ["id", "what", "ours", "peer", "unit", "ratio", "bar", "met", "runs"])
        assert.ok(key in row, key);
      assert.is(row.runs.length, 1);
    }
    const [first] = rows;
    assert.ok(first?.ours && first.peer && first.ratio);
    assert.is(first.ratio, first.ours / first.peer);
    assert.is(first.met, first.ratio <= 1.5);
    assert.ok(curves.length >= 2);
    const drawn = await readFile(svg, "utf8");
    assert.match(drawn, /^<svg [\s\S]*isolation &quot;thread&quot;[\s\S]*<\/svg>\n$/);
    assert.is(chart({ meta, curves }), drawn);
    // Of an earlier run, with nothing measured.
    const again = join(folder, "again.svg");
    await run(process.execPath, [BENCH, "--from", json, "--chart", again], { cwd: REPO });
    assert.is(await readFile(again, "utf8"), drawn);
  },
  { ms: 120_000 },
);

test("wrong use is exit 2, and says what there is", async () => {
  for (const args of [
    ["--only", "nonsense"],
    ["--rounds", "0"],
  ]) {
    const failed = (await run(process.execPath, [BENCH, ...args], { cwd: REPO }).catch((error: unknown) => error)) as {
      code?: number;
    };
    assert.is(failed.code, 2);
  }
  const { stdout } = await run(process.execPath, [BENCH, "--list"], { cwd: REPO });
  for (const { id } of SPECS) assert.ok(stdout.includes(`${id} `), id);
});

const spec = { id: "x", what: "x", unit: "ms", bar: 1.5, direction: "at most" } as const;

test("a row: medians, their ratio, the bar; without a peer the figure itself", () => {
  const row = rowOf({ ...spec, peer: "y" }, [
    { ours: 3, peer: 2 },
    { ours: 9, peer: 2 },
    { ours: 2, peer: 4 },
  ]);
  assert.equal([row.ours, row.peer, row.ratio, row.met, row.spread], [3, 2, 1.5, true, [0.5, 4.5]]);
  assert.equal(
    [row.runs, row.peerRuns],
    [
      [3, 9, 2],
      [2, 2, 4],
    ],
  );
  const alone = rowOf({ ...spec, direction: "at least" }, [{ ours: 1 }]);
  assert.equal([alone.ratio, alone.peer, alone.met], [1, null, false]);
  const none = rowOf(spec, [], "no wrk");
  assert.equal([none.ours, none.ratio, none.met, none.lacks], [null, null, null, "no wrk"]);
});

test("a comparison: worse by more than a tenth is a regression, whichever way a row counts", () => {
  const rows = (id: string, direction: Row["direction"], ...runs: readonly number[]): Row =>
    rowOf(
      { ...spec, id, direction },
      runs.map((ours) => ({ ours })),
    );
  const before = [rows("ms", "at most", 10), rows("rate", "at least", 100), rows("lost", "at most", 1)];
  const judged = (ms: number, rate: number): unknown =>
    compareRows(before, [rows("ms", "at most", ms, ms), rows("rate", "at least", rate), rows("new", "at most", 1)]).map(
      ({ id, regression }) => [id, regression],
    );
  assert.equal(judged(10.5, 95), [
    ["ms", false],
    ["rate", false],
    ["lost", true],
    ["new", false],
  ]);
  assert.equal(judged(12, 85), [
    ["ms", true],
    ["rate", true],
    ["lost", true],
    ["new", false],
  ]);
});

test.run();
