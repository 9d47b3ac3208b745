/** How a command is added that reports once, or in lines and once. */
import type { Command } from "commander";
import type { HelpEnd } from "../help.js";
import type { Report } from "../output.js";

export interface ReportingCommand extends HelpEnd {
  readonly usage: string;
  readonly does: string;
  /** `--json` prints a line for each result while the command runs. */
  readonly lines?: boolean;
  /** Gets its first argument, or "". */
  work(first: string, command: Command): Promise<Report>;
}

/** Adds a command; its options are added to what is returned. */
export type Add = (command: ReportingCommand) => Command;

/** Gathers an option that may be given more than once. */
export const collect = (value: string, before: readonly string[] | undefined): readonly string[] => [
  ...(before ?? []),
  value,
];
