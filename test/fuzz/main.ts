/**
 * `npm run fuzz -- --inputs 1000000 [--seed N] [--target NAME] [--from N] [--json FILE] [--untaken]`: the long run. Prints a table;
 * exit 1 when a rule does not hold. A failing input is printed as JSON; `--target NAME --from INDEX --inputs 1 --seed N` is that one.
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { problems, table, untaken } from "./report.js";
import { runAll } from "./run.js";

const { values } = parseArgs({
  options: {
    inputs: { type: "string", default: "1000000" },
    seed: { type: "string", default: process.env.BULKHEAD_SEED ?? "1" },
    target: { type: "string" },
    from: { type: "string", default: "0" },
    json: { type: "string" },
    untaken: { type: "boolean", default: false },
  },
});
const [inputs, seed, from] = [values.inputs, values.seed, values.from].map(Number) as [number, number, number];
const began = performance.now();
const rows = await runAll({ inputs, seed, only: values.target, from });
console.log(table(rows));
const total = rows.reduce((sum, row) => sum + row.inputs, 0);
const seconds = ((performance.now() - began) / 1000).toFixed(0);
console.log(`${total} inputs in ${seconds} s, BULKHEAD_SEED=${seed}, Node ${process.version}`);
if (values.untaken) for (const row of rows) console.log(`${row.target}, branches never taken:\n${untaken(row)}`);
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify({ seed, rows }, undefined, 2)}\n`);
const found = problems(rows);
for (const problem of found) console.log(problem);
process.exitCode = found.length === 0 ? 0 : 1;
