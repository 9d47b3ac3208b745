/** Turns units into the lines of one `ip -batch` run, and into those of the next run after a failure. */
import { randomInt } from "node:crypto";
import type { Failure, Unit } from "../backend.js";
import { lineOf, toolOf } from "./lines.js";

/** One line of a run. */
export interface Line {
  /** Its unit's index; undefined for the line that deletes the group. */
  readonly unit: number | undefined;
  readonly text: string;
  /** The program that reads it. */
  readonly tool: "ip" | "bridge";
  /** True for a line that undoes an earlier one: its failure is not the unit's. */
  readonly undo: boolean;
}

/**
 * Returns the lines for units. Links are deleted last, as a group with a random number: the kernel takes some 20 ms per message, whether
 * it deletes one link or a group.
 */
export function programOf(units: readonly Unit[]): readonly Line[] {
  const deleted = units.flatMap((unit, index) => (deletes(unit) ? [index] : []));
  if (deleted.length < 2) return units.flatMap((unit, index) => linesOf(unit, index));
  const group = String(randomInt(2 ** 30, 2 ** 31));
  const marks = deleted.map(
    (unit): Line => ({ unit, text: `link set dev ${nameIn(units[unit])} group ${group}`, tool: "ip", undo: false }),
  );
  const rest = units.flatMap((unit, index) => (deletes(unit) ? [] : linesOf(unit, index)));
  return [...rest, ...marks, { unit: undefined, text: `link delete group ${group}`, tool: "ip", undo: false }];
}

/**
 * Returns the lines of the next run after one stopped at line `at`: undoes what the failed unit has done, and leaves out its other lines.
 * If a group could not be deleted, its links are deleted one by one.
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
    .map((change): Line => ({ unit: failed.unit, text: lineOf(change), tool: toolOf(change), undo: true }));
  return [...undo, ...rest.filter(({ unit }) => unit !== failed.unit)];
}

function linesOf(unit: Unit, index: number): readonly Line[] {
  return unit.map(({ change }) => ({ unit: index, text: lineOf(change), tool: toolOf(change), undo: false }));
}

function deletes(unit: Unit | undefined): boolean {
  return unit?.length === 1 && unit[0]?.change.op === "delete";
}

/** Returns the link that a unit deletes, checked like every word. */
function nameIn(unit: Unit | undefined): string {
  const change = unit?.[0]?.change;
  return change?.op === "delete" ? (lineOf(change).split(" ").at(-1) ?? "") : "";
}
