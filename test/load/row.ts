/** A row of the table: what is measured, against what, and where the bar is. */

/** "at least": more is better; "at most": less is. */
export type Direction = "at least" | "at most";

/** Rounds of a row with a bar: its figures are medians of these. */
export const ROUNDS = 5;

export interface RowSpec {
  /** Stable; `--only` takes it. */
  readonly id: string;
  readonly what: string;
  /** What stands in the column of the peer; absent: the figure itself is held against the bar. */
  readonly peer?: string;
  /** Of both figures. */
  readonly unit: string;
  readonly direction: Direction;
  /** The ratio of ours to the peer's, or where there is no peer our figure, that is to be reached; null: for information. */
  readonly bar: number | null;
  /** What is hoped for. */
  readonly aim?: number;
}

/** The figures of one round. */
export interface Figures {
  readonly ours: number;
  readonly peer?: number;
}

/** Latencies at one offered rate, for the chart: microseconds by requests per second. */
export interface CurvePoint {
  readonly id: string;
  readonly what: string;
  readonly offered: number;
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
}

/** What one round works with. */
export interface Run {
  readonly smoke: boolean;
  /** From 0. */
  readonly round: number;
  /** A length in milliseconds, shorter in a smoke run. */
  ms(full: number): number;
  /** A count, smaller in a smoke run. */
  count(full: number, smoke: number): number;
  /** One after the other, and the other way round in every second round: what a slow moment does, it does to both. */
  pair(ours: () => Promise<number>, peer: () => Promise<number>): Promise<Figures>;
  point(point: CurvePoint): void;
}

/** One subject; most have a single row. */
export interface Measure {
  readonly rows: readonly RowSpec[];
  /** About how long all its rounds take on a quiet machine with two cores. */
  readonly seconds: number;
  /** Rounds of a full run; absent: five. */
  readonly rounds?: number;
  /** Left out unless `--only` names it: it takes more of a machine than most have, or too long. */
  readonly onlyNamed?: boolean;
  /** Why it cannot be measured here; undefined: it can. */
  lacks?(): string | undefined;
  /** Figures by row. A row that is missing was not measured in this round. */
  round(run: Run): Promise<Readonly<Record<string, Figures>>>;
  /** Ends what the rounds share. */
  end?(): Promise<void>;
}

/** A row as it is written; figures are medians of the rounds. `ratio`: ours to the peer's, or ours where there is no peer. */
export interface Row {
  readonly id: string;
  readonly what: string;
  readonly ours: number | null;
  readonly peer: number | null;
  readonly unit: string;
  readonly ratio: number | null;
  readonly bar: number | null;
  readonly met: boolean | null;
  /** Ours, of each round. */
  readonly runs: readonly number[];
  readonly direction: Direction;
  readonly aim: number | null;
  /** What the peer is. */
  readonly against: string | null;
  /** The peer's, of each round. */
  readonly peerRuns: readonly number[];
  /** Smallest and greatest ratio of one round. */
  readonly spread: readonly [number, number] | null;
  /** Present: why nothing was measured. */
  readonly lacks?: string;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

/** The row of what all rounds found. */
export function rowOf(spec: RowSpec, rounds: readonly Figures[], lacks?: string): Row {
  const { id, what, unit, bar, direction, aim = null, peer: against = null } = spec;
  const runs = rounds.map(({ ours }) => ours);
  const peerRuns = rounds.flatMap(({ peer }) => (peer === undefined ? [] : [peer]));
  const measured = runs.length > 0;
  const ours = measured ? median(runs) : null;
  const peer = peerRuns.length > 0 ? median(peerRuns) : null;
  const ratio = ours === null || peer === null ? ours : ours / peer;
  const met = bar === null || ratio === null ? null : direction === "at least" ? ratio >= bar : ratio <= bar;
  const ratios = rounds.map((one) => one.ours / (one.peer ?? 1));
  const spread = measured ? ([Math.min(...ratios), Math.max(...ratios)] as const) : null;
  const why = lacks === undefined ? {} : { lacks };
  return { id, what, ours, peer, unit, ratio, bar, met, runs, direction, aim, against, peerRuns, spread, ...why };
}
