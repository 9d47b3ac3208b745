/** The table at a run's end: what took longest. BULKHEAD_SLOWEST sets how many files and tests it names (12). */
import type { Outcome } from "./run-file.js";

const LINES = Number(process.env.BULKHEAD_SLOWEST ?? 12);

export interface Ran {
  /** Its file, and the isolation where that is one of several. */
  readonly name: string;
  readonly outcome: Outcome;
}

const seconds = (ms: number): string => (ms / 1000).toFixed(1).padStart(7);

/** Lines for people. A run of one file has no table. */
export function slowest(ran: readonly Ran[], wallMs: number): readonly string[] {
  const sum = (of: (one: Ran) => number): number => ran.reduce((total, one) => total + of(one), 0);
  const files = [...ran].sort((a, b) => b.outcome.ms - a.outcome.ms).slice(0, LINES);
  const tests = ran
    .flatMap(({ name, outcome }) => (outcome.times?.tests ?? []).map(([title, ms]) => ({ name, title, ms })))
    .sort((a, b) => b.ms - a.ms)
    .slice(0, LINES);
  return [
    "",
    "Slowest files: seconds, of processor time, file",
    ...files.map(
      ({ name, outcome }) => `${seconds(outcome.ms)} ${seconds(outcome.times?.cpuMs ?? Number.NaN)}  ${name}`,
    ),
    "Slowest tests: seconds, file: test",
    ...tests.map(({ name, title, ms }) => `${seconds(ms)}  ${name}: ${title}`),
    `${ran.length} files in ${seconds(wallMs).trim()} s; one after the other ${seconds(sum(({ outcome }) => outcome.ms)).trim()} s, of processor time ${seconds(sum(({ outcome }) => outcome.times?.cpuMs ?? 0)).trim()} s`,
  ];
}
