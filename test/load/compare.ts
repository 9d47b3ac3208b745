/**
 * `npm run bench:compare -- REV1 REV2`: the rows with a bar, or those of `--only ID,ID`, of two commits on this machine: each built
 * in a worktree of its own, runs taken in turns. Prints a ratio per row; exit 1 when REV2 is more than a tenth worse than REV1.
 * `--rounds N` (5): runs of each row and commit; `--json FILE`: the figures; `--smoke`: only shows that it runs.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { buildCommit, git } from "./base-build.js";
import { type Compared, comparedLine, compareRows } from "./compared.js";
import type { Row } from "./row.js";
import { MEASURES } from "./rows/all.js";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: "string" },
    rounds: { type: "string", default: "5" },
    json: { type: "string" },
    smoke: { type: "boolean", default: false },
  },
});
const [before, after] = positionals;
const rounds = Number(values.rounds);
if (before === undefined || after === undefined || positionals.length > 2 || !(rounds >= 1)) {
  console.error("usage: npm run bench:compare -- REV1 REV2 [--only ID,ID] [--rounds N] [--json FILE] [--smoke]");
  process.exit(2);
}

const root = mkdtempSync(join(tmpdir(), "bulkhead-compare-"));
const places = [join(root, "before"), join(root, "after")] as const;
try {
  const commits = [before, after].map((rev) => git("rev-parse", "--verify", `${rev}^{commit}`));
  for (const [index, place] of places.entries()) {
    const commit = commits[index] ?? "";
    console.error(`building ${commit.slice(0, 10)}`);
    buildCommit(place, commit);
  }
  const found = places.map((): Row[][] => []);
  const ids =
    values.only?.split(",") ??
    MEASURES.flatMap(({ rows }) => rows.filter(({ bar }) => bar !== null)).map(({ id }) => id);
  for (let round = 0; round < rounds; round++) {
    for (const id of ids) {
      // The other one first in every second round.
      for (const which of round % 2 === 0 ? [0, 1] : [1, 0]) {
        console.error(`round ${round + 1} of ${rounds}: ${id}, ${which === 0 ? before : after}`);
        found[which]?.push(take(places[which as 0 | 1], id));
      }
    }
  }
  const [old = [], now = []] = found.map((all) => all.flat());
  const compared: readonly Compared[] = compareRows(old, now);
  for (const one of compared) console.log(comparedLine(one));
  const worse = compared.filter(({ regression }) => regression);
  console.log(`\n${before} to ${after}: ${compared.length} rows, ${worse.length} more than a tenth worse`);
  if (values.json !== undefined)
    writeFileSync(values.json, `${JSON.stringify({ commits, rows: compared }, null, 2)}\n`);
  process.exitCode = worse.length === 0 ? 0 : 1;
} finally {
  for (const place of places) {
    try {
      git("worktree", "remove", "--force", place);
    } catch {
      // It was never made.
    }
  }
  rmSync(root, { recursive: true, force: true });
}

function take(place: string, id: string): Row[] {
  const file = join(root, "run.json");
  rmSync(file, { force: true });
  const args = [
    "build/test/load/bench.js",
    "--only",
    id,
    "--rounds",
    "1",
    "--json",
    file,
    ...(values.smoke ? ["--smoke"] : []),
  ];
  try {
    execFileSync(process.execPath, args, { cwd: place, stdio: ["ignore", "ignore", "pipe"] });
  } catch {
    // A commit that has no such row, or fails it: told by the row that is missing.
  }
  try {
    return (JSON.parse(readFileSync(file, "utf8")) as { rows: Row[] }).rows;
  } catch {
    return [];
  }
}
