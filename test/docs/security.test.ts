/** SECURITY.md: it begins with what is not stopped, and has no long paragraph. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { WALLS } from "#dist/isolation/limits.js";
import { assert, suite } from "../harness.js";
import { REPO } from "../kit/host.js";

const test = suite("documentation: SECURITY.md");
const page = readFileSync(join(REPO, "SECURITY.md"), "utf8");

test("what is not stopped comes first, the table of attacks last but one", () => {
  const headings = [...page.matchAll(/^## (.*)$/gm)].map(([, words]) => words);
  assert.equal(
    [headings[0], ...headings.slice(-2)],
    ["What is not stopped", "The outcome of each attack", "Reporting"],
  );
});

test("no paragraph and no list item has more than six lines", () => {
  const written = page.replace(/<!-- outcomes:begin -->[\s\S]*<!-- outcomes:end -->/, "");
  for (const paragraph of written.split(/\n\n|\n(?=- )/)) {
    if (paragraph.startsWith("|")) continue;
    const lines = paragraph.split("\n");
    assert.ok(lines.length <= 6, paragraph);
    for (const line of lines) assert.ok(line.length <= 150, line);
  }
});

test("the memory of host processes is what the walls allow", () => {
  const { dataMbShared, residentMbShared, dataMbDedicated, residentMbDedicated, watchMs } = WALLS;
  const words = page.replaceAll(/\s+/g, " ");
  assert.match(
    words,
    `may have ${dataMbShared} MiB of writable memory, and is terminated at ${residentMbShared} MiB resident. A dedicated one may have ${dataMbDedicated} MiB plus twice its memory class`,
  );
  assert.match(words, `is terminated at ${residentMbDedicated} MiB plus twice that class`);
  assert.match(words, `checked every ${watchMs} ms`);
});

test.run();
