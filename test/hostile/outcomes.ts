/**
 * The outcome of each attack under each isolation: outcomes.json, a line per case, written by `npm run hostile`; SECURITY.md's
 * table is made of it, a row per item with the worst of its cases. In a test run, what is seen must be what stands there.
 */
import { strict as assert } from "node:assert";
import { appendFileSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { ISOLATIONS, type Isolation, OUTCOMES, type Outcome } from "./case.js";

/** One case under one isolation. */
export interface Seen {
  readonly item: number;
  readonly title: string;
  readonly isolation: Isolation;
  readonly outcome: Outcome;
  /** How busy the machine is decides whether the worker is ended first or its host process: both are as they must be. */
  readonly heavy?: boolean;
}

const ENDED: readonly (Outcome | undefined)[] = ["plugin ended", "host ended and recovered"];

/** By item and title ("35 new Array(5e7).fill(0)"), then by isolation. */
export type Outcomes = Readonly<Record<string, Readonly<Partial<Record<Isolation, Outcome>>>>>;

export const OUTCOMES_FILE: string = fileURLToPath(new URL("../../../test/hostile/outcomes.json", import.meta.url));

let known: Outcomes | undefined;

/** Where BULKHEAD_OUTCOMES names a file the outcome is noted there; else it must be the known one. */
export function outcomeSeen(seen: Seen): void {
  const file = process.env.BULKHEAD_OUTCOMES;
  if (file !== undefined) {
    appendFileSync(file, `${JSON.stringify(seen)}\n`);
    return;
  }
  known ??= readOutcomes();
  const { item, title, isolation, outcome, heavy = false } = seen;
  const expected = known[`${item} ${title}`]?.[isolation];
  if (heavy && isolation !== "thread" && ENDED.includes(outcome) && ENDED.includes(expected)) return;
  assert.equal(
    outcome,
    expected,
    `"${title}" under "${isolation}" came to "${outcome}"; is that right? then: npm run hostile`,
  );
}

export function readOutcomes(): Outcomes {
  return JSON.parse(readFileSync(OUTCOMES_FILE, "utf8")) as Outcomes;
}

/** Of several runs of one case, and of several cases of one item, the worst counts. */
function worst(outcomes: readonly (Outcome | undefined)[]): Outcome | undefined {
  return OUTCOMES.findLast((one) => outcomes.includes(one));
}

/** What was noted, by item and title. */
export function gather(all: readonly Seen[]): Outcomes {
  const found: Record<string, Partial<Record<Isolation, Outcome>>> = {};
  for (const { item, title, isolation, outcome } of [...all].sort((a, b) => a.item - b.item)) {
    const key = `${item} ${title}`;
    found[key] ??= {};
    const row = found[key];
    row[isolation] = worst([row[isolation], outcome]) ?? outcome;
  }
  return Object.fromEntries(
    Object.entries(found).map(([key, row]) => [
      key,
      Object.fromEntries(ISOLATIONS.filter((one) => row[one]).map((one) => [one, row[one]])),
    ]),
  );
}

/** The worst of an item's cases. */
export function worstOf(outcomes: Outcomes, item: number, isolation: Isolation): Outcome | undefined {
  return worst(
    Object.entries(outcomes)
      .filter(([key]) => Number.parseInt(key, 10) === item)
      .map(([, row]) => row[isolation]),
  );
}
