/** The reader of the log, given any bytes: no value that was never written, and no error that is not ours. */
import { LOG_INPUTS } from "../amounts.js";
import { problems, table } from "../fuzz/report.js";
import { runAll } from "../fuzz/run.js";
import { assert, suite } from "../harness.js";

const test = suite("storage/fuzzed");

test(
  `${LOG_INPUTS} inputs`,
  async () => {
    const seed = Number(process.env.BULKHEAD_SEED ?? 1);
    const rows = await runAll({ inputs: LOG_INPUTS, seed, only: "data folder" });
    console.log(`\n${table(rows)}`);
    assert.equal(problems(rows), []);
  },
  { ms: 7_200_000 },
);

test.run();
