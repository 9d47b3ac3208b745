/** src/README.md: each folder has its row and imports what the row allows; what touches the machine is in the list. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { assert, suite } from "../harness.js";

const test = suite("documentation: src/README.md");
const SRC = join(process.cwd(), "src");
const text = readFileSync(join(SRC, "README.md"), "utf8");
const files = readdirSync(SRC, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));
/** From every file of a folder, what it imports. */
const imports = files
  .filter((file) => file.includes("/"))
  .flatMap((file) =>
    [...readFileSync(join(SRC, file), "utf8").matchAll(/from "([^"]+)"/g)].map(([, to = ""]) => ({ file, to })),
  );

/** The names in backticks. */
function names(words: string): string[] {
  return [...words.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name);
}

/** True if a name, such as `host/`, `host/discovery*` or `host/watch`, stands for this file. */
function covers(name: string, file: string): boolean {
  const pattern = name.replace(/\/$/, "").replaceAll("*", "[^/]*");
  return new RegExp(`^${pattern}(/|\\.[jt]s$)`).test(file);
}

test("each folder has a row, and imports nothing that its row does not allow", () => {
  const rows = new Map(
    [...text.matchAll(/^\| `(\w+)\/` \| .* \| (.*) \|$/gm)].map(([, folder = "", may = ""]) => [folder, names(may)]),
  );
  const folders = readdirSync(SRC, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  assert.equal([...rows.keys()].sort(), folders.map(({ name }) => name).sort());
  const used = new Set<string>();
  for (const { file, to } of imports.filter(({ to }) => to.startsWith("."))) {
    const target = normalize(join(dirname(file), to));
    const folder = file.slice(0, file.indexOf("/"));
    if (target.startsWith(`${folder}/`) || !target.includes("/")) continue;
    const allowed = rows.get(folder)?.find((name) => covers(name, target));
    assert.ok(allowed, `${file} imports ${target}`);
    used.add(`${folder} ${allowed}`);
  }
  const unused = [...rows].flatMap(([folder, may]) => may.map((name) => `${folder} ${name}`));
  assert.equal(
    unused.filter((one) => !used.has(one)),
    [],
  );
});

test("no file imports another in a circle, not even for a type", () => {
  const graph = new Map<string, readonly string[]>(files.map((file) => [file, []]));
  for (const file of files) {
    const text = readFileSync(join(SRC, file), "utf8");
    const targets = [...text.matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+)"/g)].map(([, to = ""]) =>
      normalize(join(dirname(file), to)).replace(/\.js$/, ".ts"),
    );
    graph.set(
      file,
      targets.filter((target) => graph.has(target)),
    );
  }
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): void => {
    assert.not(path.includes(file), `a circle: ${[...path.slice(path.indexOf(file)), file].join(" -> ")}`);
    if (done.has(file)) return;
    for (const target of graph.get(file) ?? []) visit(target, [...path, file]);
    done.add(file);
  };
  for (const file of files) visit(file, []);
});

test("a call knows nothing of plugins' lives", () => {
  const back = imports.filter(({ file, to }) => file.startsWith("host/calls/") && to.startsWith("../plugin/"));
  assert.equal(back, []);
});

test("what touches files, processes and threads is in the list, and the list holds nothing else", () => {
  const list = names(/are touched in: ([^.]*)\./.exec(text)?.[1] ?? "");
  const touching = imports.filter(({ to }) => /^node:(fs(\/promises)?|child_process|worker_threads)$/.test(to));
  for (const { file, to } of touching)
    assert.ok(
      list.some((name) => covers(name, file)),
      `${file} imports ${to}`,
    );
  assert.equal(
    list.filter((name) => !touching.some(({ file }) => covers(name, file))),
    [],
  );
});

test.run();
