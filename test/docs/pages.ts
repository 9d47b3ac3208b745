/** The pages of the repository. */
import { readdirSync } from "node:fs";
import { join } from "node:path";

const REPO = process.cwd();

/** Every page, relative to the repository: what the top level has, and every README.md below it. */
export function allPages(): readonly string[] {
  const tops = readdirSync(REPO).filter((name) => name.endsWith(".md"));
  const below = ["src", "plugins", "examples", "test"].flatMap((folder) =>
    readdirSync(join(REPO, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => /(^|\/)README\.md$/.test(name) && !name.includes("node_modules"))
      .map((name) => `${folder}/${name}`),
  );
  return [...tops, ...below].sort();
}

/** The names in backticks that the first cells of a page's table hold; `heading` is the table's first line. */
export function firstCells(page: string, heading: string): readonly string[] {
  const [, below] = page.split(`\n${heading}\n`);
  if (below === undefined) throw new Error(`the page has no table ${heading}`);
  const [rows = ""] = below.split("\n\n");
  return rows
    .split("\n")
    .slice(1)
    .flatMap((row) => [...(row.split("|")[1] ?? "").matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name));
}
