/** examples/embed/README.md: every option, counter and event, with the members it has; its script runs. */
import { readFileSync } from "node:fs";
import { mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { assert, suite } from "../harness.js";
import { noBubblewrap } from "../isolation/walled.js";
import { REPO } from "../kit/host.js";
import { codeBlock } from "./blocks.js";
import { runsAsPrinted } from "./printed.js";

const test = suite("documentation: examples/embed/README.md");
const page = readFileSync(join(process.cwd(), "examples/embed/README.md"), "utf8");
const sourceOf = (path: string): string => readFileSync(join(process.cwd(), path), "utf8");
const source = sourceOf("src/host/events.ts");

const names = (text: string): string[] => [...text.matchAll(/`([\w:-]+)`/g)].map(([, name = ""]) => name);

/** The rows of the table below a heading. */
function rowsBelow(heading: string): readonly string[] {
  const [, section = ""] = page.split(`## ${heading}\n`);
  const [own = ""] = section.split("\n## ");
  return own.split("\n").filter((line) => /^\| `/.test(line));
}

/** What the first cells of the rows name. */
const named = (heading: string): string[] => rowsBelow(heading).flatMap((row) => names(row.split("|")[1] ?? ""));

/** The members of an interface, without those it inherits. */
function members(path: string, name: string): string[] {
  const [, body = ""] = new RegExp(`interface ${name}[^{]*\\{([\\s\\S]*?)\\n\\}`).exec(sourceOf(path)) ?? [];
  const found = [...body.matchAll(/^ {2}(?:readonly )?(\w+)\??:/gm)].map(([, member = ""]) => member);
  assert.ok(found.length > 0, `${path} has no interface ${name}`);
  return found;
}

test("every option there is, and no other", () => {
  assert.equal(named("Options"), members("src/host/options.ts", "PluginHostOptions"));
});

test("every counter there is, and no other", () => {
  const there = [
    ...members("src/host/calls/call-context.ts", "Counters"),
    ...members("src/host/plugin/info.ts", "PluginCounters"),
  ];
  assert.equal(named("What a plugin is doing"), there);
  const rows = members("src/host/plugin/info.ts", "PluginInfo");
  for (const member of ["name", "state", "refusal", "wall", "pid", "counters"])
    assert.ok(rows.includes(member), member);
});

test("every event there is, and no other", () => {
  const [, map = ""] = /interface HostEvents \{([^}]*)\}/.exec(source) ?? [];
  const there = [...map.matchAll(/^ {2}"?([\w:-]+)"?:/gm)].map(([, name = ""]) => name);
  const rows = rowsBelow("Events");
  assert.equal(rows.flatMap((row) => names(row.split("|")[1] ?? "")).sort(), [...there].sort());
  for (const row of rows) {
    const [, cell = "", , members = ""] = row.split("|");
    const [name = ""] = names(cell);
    const [, type = ""] = new RegExp(`"?${name}"?: (\\w+);`).exec(map) ?? [];
    const [, body = ""] = new RegExp(`interface ${type} \\{([^}]*)\\}`).exec(source) ?? [];
    for (const member of names(members))
      assert.match(body, new RegExp(`readonly ${member}\\??:`), `${name}: ${member}`);
  }
});

test(
  "packets: the script runs unchanged",
  async (t) => {
    const folder = await t.folder();
    await mkdir(join(folder, "node_modules"));
    await symlink(REPO, join(folder, "node_modules/bulkhead"));
    await runsAsPrinted(folder, await codeBlock("examples/embed/README.md", "js", "host.attach("));
  },
  { needs: noBubblewrap },
);

test.run();
