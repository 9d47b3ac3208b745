/** The code blocks of the pages. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { REPO } from "../kit/host.js";

/** The block of one language in `page` (relative to the repository) that holds a text; there must be exactly one. */
export async function codeBlock(page: string, language: string, holds: string): Promise<string> {
  const text = await readFile(join(REPO, page), "utf8");
  const found = [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].filter(
    ([, of, block = ""]) => of === language && block.includes(holds),
  );
  if (found.length !== 1) throw new Error(`${page} has ${found.length} blocks of ${language} with ${holds}`);
  return found[0]?.[2] ?? "";
}
