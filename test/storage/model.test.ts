/** Log and checkpoint hold what a Map holds: any writes and deletions to several tables, with rotations, kills and reopenings. */
import fc from "fast-check";
import { BOOT_KEY } from "#dist/storage/open-log.js";
import { statePaths } from "#dist/storage/paths.js";
import { StateFile } from "#dist/storage/state-file.js";
import { TABLES, type Table } from "#dist/storage/tables.js";
import { LOG_MODELS } from "../amounts.js";
import { assert, suite } from "../harness.js";
import { SimulatedDisk } from "./simulated-disk.js";

const test = suite("storage/model");
const PATHS = statePaths("/simulated");
const BOOT = JSON.stringify("boot");

const table = fc.constantFrom<Table>(...TABLES);
const key = fc.oneof(
  fc.constantFrom("a", "b", "c").map((text) => Buffer.from(text)),
  fc.uint8Array({ minLength: 0, maxLength: 12 }).map((bytes) => Buffer.from(bytes)),
);
const body = fc.oneof(
  { weight: 6, arbitrary: fc.string({ maxLength: 40, unit: "grapheme" }) },
  { weight: 3, arbitrary: fc.integer({ min: 20_000, max: 150_000 }).map((length) => "é".repeat(length)) },
);
const write = fc.record({ table, key, body: fc.option(body, { nil: undefined, freq: 4 }) });
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("put" as const), writes: fc.array(write, { maxLength: 8 }) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("log" as const), writes: fc.array(write, { maxLength: 8 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("turn" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("reopen" as const, "kill" as const) }) },
);

type Model = Map<Table, Map<string, string>>;

async function compare(state: StateFile, model: Model, where: string): Promise<void> {
  for (const [name, rows] of model) {
    const found = (await state.rows(name)).map(({ key, body }) => [key.toString("latin1"), body] as const);
    const others = name === "meta" ? found.filter(([at]) => at !== BOOT_KEY.toString("latin1")) : found;
    assert.equal(new Map([...others].sort()), new Map([...rows].sort()), `${where}: ${name}`);
    for (const [at, value] of rows) assert.is(state.get(name, Buffer.from(at, "latin1")), value, `${where}: ${name}`);
  }
}

test(
  `${LOG_MODELS} sequences`,
  async () => {
    let [rotations, reopenings, checkpoints] = [0, 0, 0];
    const count = ({ operations }: SimulatedDisk): void => {
      rotations += operations.filter((one) => one.kind === "create" && one.name.startsWith("log")).length;
      checkpoints += operations.filter((one) => one.kind === "rename").length;
    };
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40, size: "max" }), async (steps) => {
        let disk = new SimulatedDisk();
        const open = async (): Promise<StateFile> => {
          reopenings++;
          return StateFile.open(PATHS, "boot", disk);
        };
        let state = await open();
        await state.put("meta", BOOT_KEY, BOOT);
        // Most of what the first generation takes, so that a few large values end it.
        const filler = { table: "bundles", key: Buffer.from("filler") } as const;
        state.log([
          ...Array.from({ length: 7 }, () => ({ ...filler, body: "x".repeat(65_536) })),
          { ...filler, body: undefined },
        ]);
        const model: Model = new Map(TABLES.map((name) => [name, new Map()]));
        for (const [at, one] of steps.entries()) {
          if (one.do === "put" || one.do === "log") {
            const writes = one.writes.filter(({ key: row }) => !row.equals(BOOT_KEY));
            for (const { table: name, key: row, body: value } of writes) {
              if (value === undefined) model.get(name)?.delete(row.toString("latin1"));
              else model.get(name)?.set(row.toString("latin1"), value);
            }
            if (one.do === "put") await Promise.all(writes.map((each) => state.put(each.table, each.key, each.body)));
            else {
              state.log(writes);
              state.commit();
            }
          } else if (one.do === "turn") await new Promise((resolve) => setImmediate(resolve));
          else if (one.do === "reopen") {
            await state.close();
            state = await open();
          } else {
            // The process is killed: the kernel has what was written, and the log of the dead process is written no more.
            const dead = state;
            count(disk);
            disk = disk.copy();
            state = await open();
            await dead.close();
          }
          if (one.do !== "put" && one.do !== "log") await compare(state, model, `step ${at}, ${one.do}`);
        }
        await state.close();
        count(disk);
        state = await open();
        await compare(state, model, "at the end");
        await state.close();
      }),
      { numRuns: LOG_MODELS, ...(process.env.BULKHEAD_SEED ? { seed: Number(process.env.BULKHEAD_SEED) } : {}) },
    );
    assert.ok(checkpoints > 0, "no log was replaced by a checkpoint");
    console.log(`${LOG_MODELS} sequences: ${reopenings} openings, ${rotations} logs, ${checkpoints} checkpoints`);
  },
  { ms: 3_600_000 },
);

test.run();
