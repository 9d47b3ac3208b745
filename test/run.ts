/**
 * The test runner: every `*.test.js` below a folder, a process each, several at a time (schedule.ts; BULKHEAD_AT_ONCE says how many).
 * Fails on zero files, on a file with zero tests, and on a file that did not report. Last line: `N passed, N failed`.
 * Usage: node build/test/run.js [--fast] [PATTERN … | -PATTERN …]: files whose names hold one of them; a dash leaves out.
 * `--fast`: what schedule.ts says, without the tests that need something of the machine (BULKHEAD_FAST=1, harness.ts).
 *
 * BULKHEAD_AGAIN=1: a file that fails is run once more, by itself at the end, and named as UNSTEADY when it then passes. What is
 * broken fails twice; what a busy machine made late does not. CI sets it, and its log shows every such file.
 */
import { readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { LONG } from "./amounts.js";
import { startBundleServer } from "./bundle-server.js";
import { type Outcome, runFile } from "./run-file.js";
import { type Ran, slowest } from "./run-report.js";
import { isFast, isNewer, schedule, type Unit } from "./schedule.js";

const here = dirname(fileURLToPath(import.meta.url));
const given = process.argv.slice(2);
const fast = given.includes("--fast");
if (fast) process.env.BULKHEAD_FAST = "1";
const wanted = given.filter((one) => !one.startsWith("-"));
const unwanted = given.filter((one) => one.startsWith("-") && one !== "--fast");
/** Files wait for processes of theirs: one more at a time than there are processors. */
const atOnce = Number(process.env.BULKHEAD_AT_ONCE ?? Math.min(availableParallelism() + 1, 4));

const files = readdirSync(here, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".test.js"))
  .filter((name) => wanted.length === 0 || wanted.some((part) => name.includes(part)))
  .filter((name) => !unwanted.some((part) => name.includes(part.slice(1))))
  .filter((name) => !fast || isFast(name))
  .filter((name) => LONG || wanted.length > 0 || !isNewer(name))
  .sort();

const again = process.env.BULKHEAD_AGAIN === "1";
const failures: string[] = [];
const unsteady: string[] = [];
const ran: Ran[] = [];
const started = Date.now();
const sum = { passed: 0, failed: 0, skipped: 0 };

function count({ passed, failed, skipped }: Outcome): void {
  sum.passed += passed;
  sum.failed += failed;
  sum.skipped += skipped;
}

const nameOf = ({ file, isolation }: Unit): string => `${relative(".", file)}${isolation ? ` (${isolation})` : ""}`;

async function runAndTell(unit: Unit): Promise<Outcome> {
  const outcome = await runFile(join(here, unit.file), unit.isolation);
  const { passed, failed, skipped, why, ms } = outcome;
  ran.push({ name: nameOf(unit), outcome });
  console.log(
    `${failed ? "FAIL" : "ok  "} ${nameOf(unit)}  ${passed} passed${skipped ? `, ${skipped} skipped` : ""}${why ? `  (${why})` : ""}  ${ms} ms`,
  );
  return outcome;
}

const second: Unit[] = [];
async function runAll(waiting: Unit[]): Promise<void> {
  for (let unit = waiting.shift(); unit !== undefined; unit = waiting.shift()) {
    const outcome = await runAndTell(unit);
    if (outcome.failed > 0 && again) second.push(unit);
    else {
      count(outcome);
      if (outcome.failed > 0) failures.push(`${nameOf(unit)}: ${outcome.why ?? ""}`);
    }
  }
}

const { together, walled, engines, timed, alone } = schedule(files, process.env.BULKHEAD_ISOLATION, LONG);
const endBundleServer = await startBundleServer();
// The first lane begins with the attacks behind the walls, and an extra lane with the engines; then all take files from `together`.
const lanes = Array.from({ length: atOnce }, (_, lane) => (lane === 0 ? runAll(walled) : Promise.resolve()));
if (engines.length > 0) lanes.push(runAll(engines));
await Promise.all(lanes.map((own) => own.then(() => runAll(together))));
await Promise.all([runAll(timed), runAll(timed)]);
await runAll(alone);
for (const unit of second) {
  const outcome = await runAndTell(unit);
  count(outcome);
  (outcome.failed > 0 ? failures : unsteady).push(`${nameOf(unit)}: ${outcome.why ?? "it passed the second time"}`);
}
await endBundleServer();
const vain = wanted.filter((part) => !files.some((name) => name.includes(part)));
if (files.length === 0 || vain.length > 0) {
  console.log(`no test file matches ${vain.join(", ")}`);
  sum.failed++;
}
if (ran.length > 1) for (const line of slowest(ran, Date.now() - started)) console.log(line);
if (unsteady.length > 0) console.log(`\nUNSTEADY:\n${unsteady.map((line) => `  ${line}`).join("\n")}`);
if (failures.length > 0) console.log(`\nFailed:\n${failures.map((line) => `  ${line}`).join("\n")}`);
console.log(`${sum.passed} passed, ${sum.failed} failed${sum.skipped ? `, ${sum.skipped} skipped` : ""}`);
process.exitCode = sum.failed === 0 ? 0 : 1;
