/** Runs every case and prints SECURITY.md's table of outcomes. Usage: BULKHEAD_ISOLATION=thread node build/test/hostile/table.js */
import type { CaseResult } from "./case.js";
import { ALL_CASES } from "./cases/all.js";
import { chosenIsolation, result } from "./run-class.js";

/** Markdown: a row per case, by item. */
export function outcomeTable(results: readonly CaseResult[]): string {
  const rows = [...results]
    .sort((a, b) => a.item - b.item)
    .map(({ item, title, outcome }) => `| ${item} | ${title.replaceAll("|", "\\|")} | ${outcome} |`);
  return ["| attack | what the plugin does | outcome |", "| --- | --- | --- |", ...rows].join("\n");
}

const results: CaseResult[] = [];
for (const one of ALL_CASES) results.push(await result(one, chosenIsolation()));
console.log(outcomeTable(results));
