/**
 * The test runner: every `*.test.js` below a folder, a process each, one after the other, or BULKHEAD_AT_ONCE at a time.
 * Fails on zero files, on a file with zero tests, and on a file that did not report. Last line: `N passed, N failed`.
 * Usage: node build/test/run.js [PATTERN … | -PATTERN …]: files whose names hold one of them; a dash leaves out.
 *
 * Files that need the machine to themselves (`ALONE`) come last, one after the other, whatever BULKHEAD_AT_ONCE says.
 *
 * BULKHEAD_AGAIN=1: a file that fails is run once more, by itself at the end, and named as UNSTEADY when it then passes. What is
 * broken fails twice; what a busy machine made late does not. CI sets it, and its log shows every such file.
 */
import { readdirSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { type Outcome, runFile } from "./run-file.js";
import { type Ran, slowest } from "./run-report.js";

const here = dirname(fileURLToPath(import.meta.url));
const wanted = process.argv.slice(2).filter((one) => !one.startsWith("-"));
const unwanted = process.argv.slice(2).filter((one) => one.startsWith("-"));
/** What these assert or report depends on who else uses the processor. */
const ALONE = /storm|docker\/engine|load\/|hostile\/class|^demo/;

const files = readdirSync(here, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".test.js"))
  .filter((name) => wanted.length === 0 || wanted.some((part) => name.includes(part)))
  .filter((name) => !unwanted.some((part) => name.includes(part.slice(1))))
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

async function runAndTell(file: string): Promise<Outcome> {
  const outcome = await runFile(join(here, file));
  const { passed, failed, skipped, why, ms } = outcome;
  ran.push({ file, outcome });
  console.log(
    `${failed ? "FAIL" : "ok  "} ${relative(".", file)}  ${passed} passed${skipped ? `, ${skipped} skipped` : ""}${why ? `  (${why})` : ""}  ${ms} ms`,
  );
  return outcome;
}

const second: string[] = [];
const waiting = files.filter((file) => !ALONE.test(file));
async function runWaiting(): Promise<void> {
  for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
    const outcome = await runAndTell(file);
    if (outcome.failed > 0 && again) second.push(file);
    else {
      count(outcome);
      if (outcome.failed > 0) failures.push(`${file}: ${outcome.why ?? ""}`);
    }
  }
}
await Promise.all(Array.from({ length: Number(process.env.BULKHEAD_AT_ONCE ?? 1) }, runWaiting));
waiting.push(...files.filter((file) => ALONE.test(file)));
await runWaiting();
for (const file of second) {
  const outcome = await runAndTell(file);
  count(outcome);
  (outcome.failed > 0 ? failures : unsteady).push(`${file}: ${outcome.why ?? "it passed the second time"}`);
}
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
