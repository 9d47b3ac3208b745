/** examples/serve/README.md: the commands, the doctor's JSON, the policy it prints, and the events of the audit log. */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { parsePolicy } from "#dist/policy/parse-policy.js";
import { assert, suite } from "../harness.js";
import { noBubblewrap } from "../isolation/walled.js";
import { REPO } from "../kit/host.js";
import { codeBlock } from "./blocks.js";
import { firstCells } from "./pages.js";

const test = suite("documentation: operating");
const run = promisify(execFile);
const PAGE = "examples/serve/README.md";
const text = readFileSync(join(REPO, PAGE), "utf8");
const source = (path: string): string => readFileSync(join(REPO, path), "utf8");

test("the policy it prints is one", async () => {
  assert.ok(parsePolicy(await codeBlock(PAGE, "json", '"plugins"'), PAGE).plugins?.bridge);
});

test("the table of commands is what `bulkhead --help` says", async () => {
  const { stdout } = await run(process.execPath, [join(REPO, "dist/cli/main.js"), "--help"]);
  const list = (stdout.split("Commands:\n")[1] ?? "").replaceAll(/\n {4,}/g, " ");
  const told = [...list.matchAll(/^ {2}(\w+) (?:\[options\] ?)?(?:[<[](\w+)[>\]])? {2,}(.*)$/gm)]
    .filter(([, name]) => name !== "help")
    .map(([, name, argument, says]) => [`bulkhead ${name}${argument ? ` ${argument.toUpperCase()}` : ""}`, says]);
  const rows = [...text.matchAll(/^\| `(bulkhead [^`]+)` \| (.*) \|$/gm)].map(([, command, says]) => [command, says]);
  assert.ok(told.length >= 4);
  assert.equal(rows, told);
});

test(
  "the doctor's JSON has the members it names, and no others",
  async () => {
    const members = /`(\{ ok, policy,[^`]*)`/.exec(text)?.[1] ?? "";
    const names = members.match(/[a-z]+/g) ?? [];
    const { stdout } = await run(process.execPath, [join(REPO, "dist/cli/main.js"), "doctor", "--json"]);
    const { checks, network, ...rest } = JSON.parse(stdout) as { checks: object[]; network: object[] };
    const has = new Set([
      ...["checks", "network", ...Object.keys(rest)],
      ...[checks, network].flatMap(([first = {}]) => Object.keys(first)),
    ]);
    const told = new Set(names.filter((name) => !["yes", "no", "skipped"].includes(name)));
    assert.equal([...told].sort(), [...has].sort());
  },
  { needs: noBubblewrap },
);

test("every event of the audit log, and no other", () => {
  const union = (path: string, name: string): readonly string[] => {
    const [, body = ""] = new RegExp(`type ${name} =([^;]*);`).exec(source(path)) ?? [];
    return [...body.matchAll(/"([a-z-]+)"/g)].map(([, event = ""]) => event);
  };
  const there = [
    ...union("src/host/audit/entry.ts", "AuditEvent"),
    ...union("src/permissions/external-changes.ts", "ExternalChangeName"),
  ];
  assert.ok(there.length > 20);
  assert.equal([...firstCells(text, "| event | when |")].sort(), there.sort());
});

test.run();
