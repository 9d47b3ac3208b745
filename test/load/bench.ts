/**
 * `npm run bench`: a table of ratios, all taken in this one run on this one machine. `-- --list` says what there is, `--only ID,ID`
 * takes some rows (`storage`: all whose ids begin with that), `--json FILE` writes the figures, `--chart FILE` draws them (`--from FILE`: those of an earlier run), `--rounds N`
 * takes other than five rounds, `--smoke` only shows that everything runs.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { chart } from "./chart.js";
import { runMeasure } from "./measuring.js";
import { takeMeta } from "./meta.js";
import { type CurvePoint, ROUNDS, type Row } from "./row.js";
import { MEASURES } from "./rows/all.js";
import { heading, rowLine } from "./table.js";

/** What `--json` writes. */
export interface BenchFile {
  readonly meta: ReturnType<ReturnType<typeof takeMeta>>;
  readonly rows: readonly Row[];
  readonly curves: readonly CurvePoint[];
}

/** Measures of a smoke run at one time. */
const SMOKE_LANES = 3;

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    json: { type: "string" },
    chart: { type: "string" },
    from: { type: "string" },
    rounds: { type: "string" },
    smoke: { type: "boolean", default: false },
    list: { type: "boolean", default: false },
  },
});
const rounds = values.rounds === undefined ? undefined : Number(values.rounds);
const only = values.only?.split(",");
const ids = MEASURES.flatMap(({ rows }) => rows.map(({ id }) => id));
/** `one`: a row's id, or what the ids of several rows begin with. */
const isMeant = (one: string, id: string): boolean => (ids.includes(one) ? id === one : id.startsWith(`${one}-`));
const unknown = only?.find((one) => !ids.some((id) => isMeant(one, id)));
const isWanted = (id: string): boolean => !only || only.some((one) => isMeant(one, id));

if (unknown !== undefined) {
  console.error(`there is no row "${unknown}"; npm run bench -- --list says which there are`);
  process.exitCode = 2;
} else if (rounds !== undefined && !(Number.isInteger(rounds) && rounds >= 1 && rounds <= 100)) {
  console.error("--rounds is a whole number from 1 to 100");
  process.exitCode = 2;
} else if (values.list) list();
else if (values.from !== undefined && values.chart !== undefined)
  writeFileSync(values.chart, chart(JSON.parse(readFileSync(values.from, "utf8")) as BenchFile));
else await bench();

function list(): void {
  for (const { rows, seconds, rounds = ROUNDS, onlyNamed } of MEASURES) {
    for (const { id, what, bar, direction } of rows) {
      const bars = bar === null ? "" : `  bar ${direction === "at least" ? "≥" : "≤"} ${bar}`;
      console.log(`${id.padEnd(34)} ${what}${bars}`);
    }
    console.log(
      `    about ${seconds} s, ${rounds === 1 ? "one round" : `${rounds} rounds`}${onlyNamed ? "; only with --only" : ""}\n`,
    );
  }
  const unnamed = MEASURES.filter(({ onlyNamed }) => !onlyNamed);
  console.log(`in all about ${unnamed.reduce((sum, { seconds }) => sum + seconds, 0)} s`);
}

async function bench(): Promise<void> {
  const meta = takeMeta(values.smoke, rounds, only);
  console.log(heading(meta()));
  const rows: Row[] = [];
  const curves: CurvePoint[] = [];
  const waiting = MEASURES.filter(
    ({ rows: specs, onlyNamed = false }) => (only !== undefined || !onlyNamed) && specs.some(({ id }) => isWanted(id)),
  );
  const lane = async (): Promise<void> => {
    for (let measure = waiting.shift(); measure !== undefined; measure = waiting.shift()) {
      const began = performance.now();
      const found = await runMeasure(measure, values.smoke, rounds);
      const mine = found.rows.filter(({ id }) => isWanted(id));
      rows.push(...mine);
      curves.push(...found.points);
      for (const row of mine) console.log(rowLine(row));
      console.log(`${" ".repeat(42)} (${((performance.now() - began) / 1000).toFixed(1)} s)`);
    }
  };
  // One after the other, where figures are to mean something.
  await Promise.all(Array.from({ length: values.smoke ? SMOKE_LANES : 1 }, lane));
  rows.sort((a, b) => ids.indexOf(a.id) - ids.indexOf(b.id));
  const barred = rows.filter(({ bar }) => bar !== null);
  const file: BenchFile = { meta: meta(), rows, curves };
  const { seconds, loadAfter } = file.meta;
  console.log(
    `\n${barred.filter(({ met }) => met).length} of ${barred.length} bars met, in ${seconds} s; load afterwards ${loadAfter.map((one) => one.toFixed(1)).join(" ")}`,
  );
  const left = only === undefined ? MEASURES.filter(({ onlyNamed }) => onlyNamed).flatMap((one) => one.rows) : [];
  if (left.length > 0) console.log(`taken only when --only names them: ${left.map(({ id }) => id).join(", ")}`);
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(file, null, 2)}\n`);
  if (values.chart !== undefined) writeFileSync(values.chart, chart(file));
  // A row that could not be taken for want of a tool is told; one whose process failed is a failure.
  if (rows.some(({ lacks }) => lacks?.startsWith("its process ended"))) process.exitCode = 1;
}
