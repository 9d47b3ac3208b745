/** The table of error codes as its page shows it. `node build/test/docs/error-table.js --write` updates the page. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ERROR_CODES } from "#dist/driverapi/error-codes.js";
import { ERROR_STATUS } from "#dist/driverapi/errors.js";

/** The page that has the table. */
export const ERRORS_PAGE = "src/driverapi/README.md";
export const BEGIN = "<!-- errors:begin -->";
export const END = "<!-- errors:end -->";

interface Row {
  readonly kind: keyof typeof ERROR_STATUS;
  readonly when: string;
  readonly maskable?: true;
  readonly retry?: true;
}

/** A row per code, in the table's order. */
export function errorTable(): string {
  const rows = Object.entries(ERROR_CODES as Record<string, Row>).map(([code, { kind, when, maskable, retry }]) => {
    const marks = [maskable ? "maskable" : "", retry ? "retry" : ""].filter(Boolean).join(", ");
    return `| \`${code}\` | ${kind} ${ERROR_STATUS[kind]}${marks ? `, ${marks}` : ""} | ${when} |`;
  });
  return ["| code | kind | when |", "| --- | --- | --- |", ...rows].join("\n");
}

if (process.argv.includes("--write")) {
  const file = join(process.cwd(), ERRORS_PAGE);
  const text = readFileSync(file, "utf8");
  const begin = text.indexOf(BEGIN) + BEGIN.length;
  writeFileSync(file, `${text.slice(0, begin)}\n${errorTable()}\n${text.slice(text.indexOf(END))}`);
}
