/** Rows of two commits, side by side. */
import { median, type Row } from "./row.js";

export interface Compared {
  readonly id: string;
  readonly unit: string;
  /** Median of all runs; null: that commit has no such figure. */
  readonly before: number | null;
  readonly after: number | null;
  /** How much better the later one is: above 1 is better, whichever way the row counts. */
  readonly gain: number | null;
  readonly regression: boolean;
}

/** Less than that share of what it was is a regression. */
const LEAST_GAIN = 0.9;

/** Rows of the same id are runs of the same row. A row that the later commit has lost is a regression. */
export function compareRows(before: readonly Row[], after: readonly Row[]): readonly Compared[] {
  const ids = [...new Set([...before, ...after].map(({ id }) => id))];
  return ids.map((id) => {
    const [was, is] = [before, after].map((rows) => {
      const runs = rows.filter((row) => row.id === id).flatMap((row) => row.runs);
      return runs.length === 0 ? null : median(runs);
    }) as [number | null, number | null];
    const row = [...after, ...before].find((one) => one.id === id);
    const gain = was === null || is === null ? null : row?.direction === "at most" ? was / is : is / was;
    const regression = gain === null ? was !== null : gain < LEAST_GAIN;
    return { id, unit: row?.unit ?? "", before: was, after: is, gain, regression };
  });
}

export function comparedLine({ id, unit, before, after, gain, regression }: Compared): string {
  const figure = (value: number | null): string => (value === null ? "-" : value.toPrecision(4)).padStart(10);
  const times = gain === null ? "      -" : `${gain.toFixed(2)} ×`.padStart(7);
  return `${id.padEnd(34)} ${figure(before)} → ${figure(after)} ${unit.padEnd(12)} ${times}${regression ? "  WORSE" : ""}`;
}
