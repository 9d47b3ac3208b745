/** Units as the lines of one `ip -batch` run, and what is run next when it stopped at one of them. */
import { randomInt } from "node:crypto";
import type { Failure, Unit } from "../backend.js";
import { lineOf } from "./lines.js";

/** One line of a run. */
export interface Line {
  /** The unit it belongs to; undefined: the one that deletes the group. */
  readonly unit: number | undefined;
  readonly text: string;
  /** A line that takes an earlier one back: its failure is not a unit's. */
  readonly undo: boolean;
}

/**
 * The lines of some units. Links that are deleted go last and together: the kernel waits for every processor once per message, some
 * 20 ms, whether it deletes one link or all of a group's. The group's number is drawn anew each time; no other link is in it.
 */
export function programOf(units: readonly Unit[]): readonly Line[] {
  const deleted = units.flatMap((unit, index) => (deletes(unit) ? [index] : []));
  if (deleted.length < 2) return units.flatMap((unit, index) => linesOf(unit, index));
  const group = String(randomInt(2 ** 30, 2 ** 31));
  const marks = deleted.map(
    (unit): Line => ({ unit, text: `link set dev ${nameIn(units[unit])} group ${group}`, undo: false }),
  );
  const rest = units.flatMap((unit, index) => (deletes(unit) ? [] : linesOf(unit, index)));
  return [...rest, ...marks, { unit: undefined, text: `link delete group ${group}`, undo: false }];
}

/**
 * What is run after a run stopped at line `at`: what the failed unit has done is taken back and its other lines are left out. Where a
 * group could not be deleted, its links are deleted one by one.
 */
export function programAfter(
  program: readonly Line[],
  at: number,
  units: readonly Unit[],
  failures: readonly (Failure | undefined)[],
): readonly Line[] {
  const failed = program[at];
  const rest = program.slice(at + 1);
  if (failed === undefined || failed.undo) return rest;
  if (failed.unit === undefined) {
    return units.flatMap((unit, index) => (deletes(unit) && !failures[index] ? linesOf(unit, index) : []));
  }
  const left = rest.filter(({ unit }) => unit === failed.unit).length;
  const done = (units[failed.unit] ?? []).slice(0, -1 - left);
  const undo = done
    .flatMap((step) => step.undo ?? [])
    .reverse()
    .map((change): Line => ({ unit: failed.unit, text: lineOf(change), undo: true }));
  return [...undo, ...rest.filter(({ unit }) => unit !== failed.unit)];
}

function linesOf(unit: Unit, index: number): readonly Line[] {
  return unit.map(({ change }) => ({ unit: index, text: lineOf(change), undo: false }));
}

function deletes(unit: Unit | undefined): boolean {
  return unit?.length === 1 && unit[0]?.change.op === "delete";
}

/** The link a deleting unit names, checked as every word is. */
function nameIn(unit: Unit | undefined): string {
  const change = unit?.[0]?.change;
  return change?.op === "delete" ? (lineOf(change).split(" ").at(-1) ?? "") : "";
}
