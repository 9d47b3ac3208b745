/** Tables for people: cells that no terminal acts on, colours, columns. */
import { escapeLine } from "../../common/escape.js";

const CODES = { green: 32, yellow: 33, red: 31, faint: 2, bold: 1 } as const;
export type Colour = keyof typeof CODES | "plain";

/** Colours a word; returns it unchanged if `coloured` is false. */
export function paint(coloured: boolean, colour: Colour, text: string): string {
  return coloured && colour !== "plain" ? `\u001b[${CODES[colour]}m${text}\u001b[0m` : text;
}

/** Longest cell of a table, in UTF-16 units. */
const CELL = 80;

/** A cell: its text, escaped and cut, and its colour. */
export interface Cell {
  readonly text: string;
  readonly colour: Colour;
}

export function cell(value: string | number | null | undefined, colour: Colour = "plain"): Cell {
  return {
    text: value === null || value === undefined || value === "" ? "-" : escapeLine(String(value), CELL),
    colour,
  };
}

/** Formats rows as columns under headings; colours do not count as width. */
export function columns(coloured: boolean, headings: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const lines = [headings.map((text): Cell => ({ text, colour: "bold" })), ...rows];
  const widths = headings.map((_, column) => Math.max(...lines.map((line) => line[column]?.text.length ?? 0)));
  return lines
    .map((line) =>
      line
        .map(({ text, colour }, column) => {
          const pad = column === line.length - 1 ? "" : " ".repeat((widths[column] ?? 0) - text.length);
          return `${paint(coloured, colour, text)}${pad}`;
        })
        .join("  "),
    )
    .join("\n");
}
