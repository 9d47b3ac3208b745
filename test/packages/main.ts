/**
 * Uses popular pure-JavaScript packages in a plugin and writes what each came to. Not part of CI: it installs them from a registry,
 * into `BULKHEAD_PACKAGES` (default: a folder of the user's cache). Usage: node build/test/packages/main.js [PATTERN …]
 * Fails where fewer than 90 % work.
 */
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Outcome, Use } from "./use.js";
import { USES } from "./uses.js";

const LEAST = 0.9;
const DEADLINE = 120_000;
const folder = process.env.BULKHEAD_PACKAGES ?? join(homedir(), ".cache", "bulkhead-packages");
const runOne = fileURLToPath(new URL("./run-one.js", import.meta.url));
const patterns = process.argv.slice(2);
const chosen = USES.filter(([name]) => patterns.length === 0 || patterns.some((part) => name.includes(part)));

install();
const outcomes: Outcome[] = [];
const waiting = [...chosen];
await Promise.all([lane(), lane(), lane()]);
outcomes.sort((a, b) => (a.name < b.name ? -1 : 1));
const table = join(folder, `table-node${process.versions.node.split(".")[0]}.md`);
const rows = outcomes.map(
  ({ name, version, how, why }) => `| ${name} ${version} | ${how} | ${why.replaceAll("|", "\\|")} |`,
);
writeFileSync(table, ["| package | | why |", "| --- | --- | --- |", ...rows, ""].join("\n"));
const count = (how: Outcome["how"]): number => outcomes.filter((one) => one.how === how).length;
console.log(
  `${outcomes.length} packages: ${count("works")} work, ${count("partly")} partly, ${count("refused")} refused (${table})`,
);
process.exitCode = count("works") >= LEAST * outcomes.length ? 0 : 1;

/** One install of all of them, repeated only when the versions change. */
function install(): void {
  mkdirSync(folder, { recursive: true });
  const dependencies = Object.fromEntries(USES.map(([name, version]) => [name, version]));
  const text = JSON.stringify({ private: true, dependencies }, null, 2);
  const file = join(folder, "package.json");
  if (existsSync(file) && readFileSync(file, "utf8") === text && existsSync(join(folder, "node_modules"))) return;
  writeFileSync(file, text);
  const flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--legacy-peer-deps"];
  execFileSync("npm", ["install", ...flags], { cwd: folder, stdio: "inherit" });
}

async function lane(): Promise<void> {
  for (let use = waiting.shift(); use !== undefined; use = waiting.shift()) outcomes.push(noted(await outcomeOf(use)));
}

function noted(outcome: Outcome): Outcome {
  const { name, version, how, why } = outcome;
  if (how !== "works") console.log(`${name} ${version}: ${how}: ${why}`);
  return outcome;
}

/** The plugin stands beside the packages: its folder is theirs, and its entry lies below. */
function outcomeOf([name, version, imports, expression, expected]: Use): Promise<Outcome> {
  const root = join(folder, "plugins", name.replaceAll(/[@/]/g, "_"));
  rmSync(root, { recursive: true, force: true });
  mkdirSync(root, { recursive: true });
  writeFileSync(join(root, "index.js"), `${imports}\nexport const use = async () => (${expression});\n`);
  const child = spawn(process.execPath, [runOne, folder, root, JSON.stringify(expected)], { timeout: DEADLINE });
  let out = "";
  let trouble = "";
  child.stdout.on("data", (chunk: Buffer) => (out += chunk));
  child.stderr.on("data", (chunk: Buffer) => (trouble += chunk));
  return new Promise((resolve) => {
    child.once("close", (code, signal) => {
      try {
        resolve({ name, version, ...(JSON.parse(out) as Pick<Outcome, "how" | "why">) });
      } catch {
        resolve({ name, version, how: "partly", why: `it ended with ${signal ?? code}: ${trouble.slice(0, 200)}` });
      }
    });
  });
}
