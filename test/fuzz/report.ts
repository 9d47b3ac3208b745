/** What a run found, in a table, and what of it breaks a rule. */
import type { Arm } from "./coverage.js";
import { type Failure, GROWTH, type Result, SLOWEST } from "./engine.js";

/** Mutations of valid inputs that must reach validation, of all inputs. */
const REACHED = 0.3;
/** Branches that must be taken, of all of a parser's. */
const BRANCHES = 0.9;

export interface Row extends Result {
  /** Both sides of each branch of the parser. */
  readonly arms: readonly Arm[];
}

const taken = ({ arms }: Row): number => arms.filter(({ count }) => count > 0).length / Math.max(1, arms.length);
const percent = (part: number): string => `${(100 * part).toFixed(1)} %`;

/** The rules that do not hold, in words; none: all is well. */
export function problems(rows: readonly Row[]): string[] {
  return rows.flatMap((row) => {
    const reached = row.mutatedReached / Math.max(1, row.inputs);
    const found = row.failures.map(failureText);
    if (reached < REACHED)
      found.push(`${row.target}: only ${percent(reached)} mutate something valid and reach validation`);
    if (row.slowestMs > SLOWEST)
      found.push(`${row.target}: input ${row.slowestIndex} takes ${row.slowestMs.toFixed(1)} ms`);
    if (row.growthBytes > GROWTH) found.push(`${row.target}: the heap has grown by ${row.growthBytes} bytes`);
    if (taken(row) < BRANCHES)
      found.push(`${row.target}: ${percent(taken(row))} of its branches were taken:\n${untaken(row)}`);
    return found;
  });
}

/** Characters of an input that are printed; all of it is in the file that `--json` writes, and comes again with seed and number. */
const SHOWN = 4000;

/** One line of JSON; in corpus/regressions.json, as `{ target, why, text }` or `base64`, its input is tried in every run. */
function failureText(failure: Failure): string {
  return JSON.stringify({
    ...failure,
    input: shown(failure.input),
    ...("smaller" in failure ? { smaller: shown(failure.smaller) } : {}),
  });
}

function shown(input: unknown): unknown {
  const text = Buffer.isBuffer(input) ? input.toString("base64") : input;
  if (typeof text !== "string") return `no text: ${String(JSON.stringify(input))}`;
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}… (${text.length} characters)` : text;
}

/** The branches that were never taken, a line each. */
export function untaken({ arms }: Row): string {
  return arms
    .filter(({ count }) => count <= 0)
    .map(({ file, line, what }) => `  dist/${file}:${line} ${what}`)
    .join("\n");
}

export function table(rows: readonly Row[]): string {
  const head = [
    "parser",
    "inputs",
    "mutated, reached",
    "accepted",
    "refused",
    "unread",
    "slowest",
    "growth",
    "branches",
    "s",
  ];
  const cells = rows.map((row) => [
    row.target,
    String(row.inputs),
    percent(row.mutatedReached / Math.max(1, row.inputs)),
    ...(["accepted", "refused", "unread"] as const).map((reach) => percent(row.reach[reach] / Math.max(1, row.inputs))),
    `${row.slowestMs.toFixed(1)} ms`,
    `${Math.round(row.growthBytes / 1024)} KiB`,
    `${row.arms.filter(({ count }) => count > 0).length}/${row.arms.length} ${percent(taken(row))}`,
    row.seconds.toFixed(1),
  ]);
  const widths = head.map((title, at) => Math.max(title.length, ...cells.map((line) => line[at]?.length ?? 0)));
  const line = (all: readonly string[]): string =>
    all.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))).join("  ");
  return [head, ...cells].map(line).join("\n");
}
