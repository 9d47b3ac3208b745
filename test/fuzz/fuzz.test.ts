/** Every parser of what a stranger wrote: many inputs, what was recorded is still valid, and a fault would be found. */
import { FUZZ_INPUTS } from "../amounts.js";
import { assert, suite } from "../harness.js";
import { problems, table } from "./report.js";
import { runAll } from "./run.js";

const test = suite("fuzz");

test(
  `${FUZZ_INPUTS} inputs: no throw of a foreign error, none slow, no growth, and nearly all branches taken`,
  async () => {
    const rows = await runAll({ inputs: FUZZ_INPUTS, seed: Number(process.env.BULKHEAD_SEED ?? 1) });
    console.log(`\n${table(rows)}`);
    assert.ok(rows.reduce((sum, { inputs }) => sum + inputs, 0) >= FUZZ_INPUTS);
    assert.equal(problems(rows), []);
  },
  { ms: 300_000 + FUZZ_INPUTS * 5 },
);

test("what is mutated is valid: each recorded frame and document is accepted", async () => {
  const { TARGETS } = await import("./targets.js");
  for (const { name, corpus, input, run } of TARGETS) {
    // Of these inputs some stand for what is not JSON.
    if (name === "plain JSON") continue;
    for (const text of corpus) {
      const { reach } = await run(input?.(text) ?? text);
      assert.is(reach, "accepted", `${name}: ${text}: if the protocol has changed, run build/test/fuzz/record.js`);
    }
  }
});

test(
  "a parser that throws, dawdles or hoards is found out, and its input made small",
  async () => {
    const [{ fuzz }, { TARGETS }] = await Promise.all([import("./engine.js"), import("./targets.js")]);
    const [target] = TARGETS;
    assert.ok(target);
    const hoard: number[][] = [];
    const text = (input: unknown): string => (typeof input === "string" ? input : "");
    const faults = {
      throws: (input: unknown) => {
        if (text(input).includes("__proto__")) throw new TypeError("a fault");
      },
      dawdles: (input: unknown) => {
        const end = process.cpuUsage().user + 80_000;
        if (input === target.corpus[0]) while (process.cpuUsage().user < end);
      },
      hoards: () => void hoard.push(new Array<number>(4000).fill(hoard.length)),
    };
    const run = (fault: (input: unknown) => void, inputs: number) =>
      fuzz(
        {
          ...target,
          name: "faulty",
          run(input) {
            fault(input);
            return target.run(input);
          },
        },
        1,
        inputs,
      );
    const [thrown] = (await run(faults.throws, 500)).failures;
    assert.match(thrown?.why ?? "", "TypeError: a fault");
    assert.is(thrown?.smaller, "__proto__");
    const slow = await run(faults.dawdles, 60);
    assert.match(slow.failures[0]?.why ?? "", /^it took \d+/);
    const grown = await run(faults.hoards, 500);
    assert.equal(grown.failures, []);
    const rows = [{ ...grown, arms: [{ file: "x.js", line: 3, what: "if", count: 0 }] }];
    const found = problems(rows).join("\n");
    assert.match(found, /the heap has grown by \d+ bytes/);
    assert.match(found, /0\.0 % of its branches were taken:\n {2}dist\/x\.js:3 if/);
    const early = problems([{ ...grown, mutatedReached: 0, arms: [] }]).join("\n");
    assert.match(early, /only 0\.0 % mutate/);
  },
  { ms: 90_000 },
);

test("branches are counted as they were taken", async (t) => {
  const [{ Coverage }, { writeFile }, { pathToFileURL }] = await Promise.all([
    import("./coverage.js"),
    import("node:fs/promises"),
    import("node:url"),
  ]);
  const path = `${await t.folder()}/counted.mjs`;
  await writeFile(
    path,
    `export function counted(a, b) {
  if (a) return b ?? "none";
  try { return a || b.c ? 1 : 2; } catch { return 3; }
}
export class Other { #never(x) { switch (x) { case 1: return 1; default: return x && 2; } } run() { if (this.x) this.#never(1); } }
`,
  );
  const coverage = new Coverage();
  await coverage.start();
  t.cleanup(() => coverage.stop());
  const url = pathToFileURL(path).href;
  const { counted, Other } = (await import(url)) as {
    counted(a: unknown, b?: unknown): unknown;
    Other: new () => { run(): void };
  };
  counted(1, 2);
  counted(1, 2);
  counted(0, { c: 1 });
  counted(0, null);
  new Other().run();
  const arms = (await coverage.take()).arms({ file: url });
  assert.equal(
    arms.map(({ line, what, count }) => `${line} ${what} ${count}`),
    [
      ...["2 if 2", "2 if not 2", "2 ?? 0", "2 not ?? 2", "3 ? 1", "3 : 0", "3 || 2", "3 not || 0", "3 catch 1"],
      ...["5 case 0", "5 case 0", "5 && 0", "5 not && 0", "5 if 0", "5 if not 1"],
    ],
  );
  const named = (await coverage.take()).arms({ file: url, functions: ["#never"] });
  assert.is(named.length, 4);
});

test.run();
