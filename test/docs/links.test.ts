/** Every page: what it links to is there, headings included. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { assert, suite } from "../harness.js";
import { REPO } from "../kit/host.js";
import { allPages } from "./pages.js";

const test = suite("documentation: links");
const read = (page: string): string => readFileSync(join(REPO, page), "utf8");

/** The links of a page that lead to files: the file, relative to the repository, and the heading. */
function links(page: string): readonly (readonly [file: string, heading: string | undefined])[] {
  return [...read(page).matchAll(/\]\(((?!https?:)[^)\s]+)\)/g)].map(([, to = ""]) => {
    const [file = "", heading] = to.split("#");
    return [file === "" ? page : normalize(join(dirname(page), file)), heading];
  });
}

/** A heading as GitHub writes it into a link. */
const slug = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");

test("files and headings exist, and a folder that is linked has a page", () => {
  for (const page of allPages()) {
    for (const [file, heading] of links(page)) {
      assert.ok(existsSync(join(REPO, file)), `${page} links to ${file}`);
      const target = statSync(join(REPO, file)).isDirectory() ? join(file, "README.md") : file;
      assert.ok(existsSync(join(REPO, target)), `${page} links to ${file}, which has no README.md`);
      if (heading === undefined) continue;
      const headings = [...read(target).matchAll(/^#+ (.*)$/gm)].map(([, words = ""]) => slug(words));
      assert.ok(headings.includes(heading), `${page} links to ${target}#${heading}`);
    }
  }
});

test("every page is linked from another one", () => {
  const linked = new Set(
    allPages().flatMap((page) =>
      links(page).flatMap(([file]) => (file === page ? [] : [file, normalize(join(file, "README.md"))])),
    ),
  );
  assert.equal(
    allPages().filter((page) => page !== "README.md" && !linked.has(page)),
    [],
  );
});

test.run();
