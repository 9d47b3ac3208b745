/** SECURITY.md's table of outcomes: a row per item, the worst of its cases; below it what is not stopped, by name. */
import { ISOLATIONS, type Isolation } from "./case.js";
import { ITEMS } from "./items.js";
import { type Outcomes, worstOf } from "./outcomes.js";

const BEGIN = "<!-- outcomes:begin -->";
const END = "<!-- outcomes:end -->";

export function outcomeTable(outcomes: Outcomes): string {
  const rows = ITEMS.map((what, i) => {
    const cells = ISOLATIONS.map((isolation) =>
      worstOf(outcomes, i + 1, isolation)?.replace(" (named)", ` [${i + 1}]`),
    );
    return `| ${i + 1} | ${what} | ${cells.map((cell) => cell ?? "**not tried**").join(" | ")} |`;
  });
  const named = ISOLATIONS.flatMap((isolation) =>
    ITEMS.flatMap((_, i) => {
      const titles = notStopped(outcomes, i + 1, isolation);
      return titles.length === 0 ? [] : [`- [${i + 1}] under \`"${isolation}"\`: ${titles.join("; ")}`];
    }),
  );
  return [
    `| item | attack | ${ISOLATIONS.map((one) => `\`"${one}"\``).join(" | ")} |`,
    "| --- | --- | --- | --- | --- |",
    ...rows,
    "",
    "Not stopped:",
    "",
    ...(named.length === 0 ? ["- nothing"] : named),
  ].join("\n");
}

/** Titles of the item's cases that are not stopped. */
function notStopped(outcomes: Outcomes, item: number, isolation: Isolation): readonly string[] {
  return Object.entries(outcomes)
    .filter(([key, row]) => Number.parseInt(key, 10) === item && row[isolation] === "not stopped (named)")
    .map(([key]) => key.slice(key.indexOf(" ") + 1));
}

/** The page with the table in its place; throws where the place is not marked. */
export function withTable(page: string, outcomes: Outcomes): string {
  const [before, rest] = page.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) throw new Error(`SECURITY.md lacks ${BEGIN} or ${END}`);
  return `${before}${BEGIN}\n${outcomeTable(outcomes)}\n${END}${after}`;
}
