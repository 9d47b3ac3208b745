/** One run over all targets, or one of them. Loads the parsers only after the counting of branches has begun. */
import { Coverage } from "./coverage.js";
import type { Row } from "./report.js";

export interface Run {
  /** Inputs in all, shared evenly. */
  readonly inputs: number;
  readonly seed: number;
  /** Only targets whose name holds this. */
  readonly only?: string | undefined;
  /** Number of the first input of each target. */
  readonly from?: number | undefined;
  /** Told of each target when it is done. */
  readonly done?: (row: Row) => void;
}

export async function runAll({ inputs, seed, only = "", from = 0, done }: Run): Promise<Row[]> {
  const coverage = new Coverage();
  await coverage.start();
  const strays: unknown[] = [];
  const stray = (error: unknown): unknown => strays.push(error);
  process.on("unhandledRejection", stray);
  process.on("uncaughtException", stray);
  try {
    const { TARGETS } = await import("./targets.js");
    const { fuzz } = await import("./engine.js");
    const chosen = TARGETS.filter(({ name }) => name.includes(only));
    if (chosen.length === 0)
      throw new Error(`no target is called "${only}"; there are ${TARGETS.map(({ name }) => name).join(", ")}`);
    const rows: Row[] = [];
    // What loading them has run is not a target's.
    await coverage.take();
    for (const target of chosen) {
      const result = await fuzz(target, seed, Math.ceil(inputs / chosen.length), from);
      const failures = strays.splice(0).map((error) => ({
        ...{ target: target.name, seed, index: -1, input: undefined },
        why: `unhandled, after one of the inputs: ${error instanceof Error ? error.stack : typeof error}`,
      }));
      const taken = await coverage.take();
      const arms = target.files.flatMap((file) => taken.arms(file));
      const row = { ...result, failures: [...result.failures, ...failures], arms };
      rows.push(row);
      done?.(row);
    }
    return rows;
  } finally {
    process.off("unhandledRejection", stray);
    process.off("uncaughtException", stray);
    await coverage.stop();
  }
}
