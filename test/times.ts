/** How long a file's tests take, and how much processor time the file uses: told to the runner in one line at the file's end. */
import { readFileSync } from "node:fs";

/** Begins the line. */
export const TIMES_MARK = "BULKHEAD TIMES ";

export interface Times {
  /** Each test's title and its duration in milliseconds, in order. */
  readonly tests: ReadonlyArray<readonly [title: string, ms: number]>;
  /** Processor time of the file and of the processes that it has waited for, in milliseconds. */
  readonly cpuMs: number;
}

const tests: Array<readonly [string, number]> = [];

/** Notes a test's duration. */
export function testTook(title: string, ms: number): void {
  tests.push([title, Math.round(ms)]);
}

if (process.env.BULKHEAD_TELL_TIMES === "1") {
  // A process that a test starts is not a test file.
  delete process.env.BULKHEAD_TELL_TIMES;
  process.on("exit", () => {
    const times: Times = { tests, cpuMs: cpuMs() };
    process.stdout.write(`\n${TIMES_MARK}${JSON.stringify(times)}\n`);
  });
}

function cpuMs(): number {
  try {
    // proc(5): utime, stime, cutime and cstime are the 14th to 17th fields, in ticks of 10 ms; the second may hold spaces.
    const fields = readFileSync("/proc/self/stat", "latin1")
      .replace(/^.*\) /s, "")
      .split(" ");
    return 10 * fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0);
  } catch {
    const { user, system } = process.cpuUsage();
    return Math.round((user + system) / 1000);
  }
}
