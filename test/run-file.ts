/** Runs one test file in a process of its own, and reads from its output how it went. */
import { spawn } from "node:child_process";
import { stripVTControlCharacters } from "node:util";
import { PATIENT } from "./amounts.js";
import { sourcePlaces } from "./source-places.js";
import { TIMES_MARK, type Times } from "./times.js";

/** Files that do more than the short amount may take hours. */
const FILE_DEADLINE = (PATIENT ? 180 : 20) * 60_000;

export interface Outcome {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Why the file failed. */
  readonly why?: string;
  readonly ms: number;
  /** What the file said of its tests and its processor time; absent when it ended without saying. */
  readonly times?: Times;
}

/** Runs a file; `isolation`: the only one to run its attacks under. */
export function runFile(file: string, isolation?: string): Promise<Outcome> {
  return new Promise((resolve) => {
    const started = Date.now();
    const child = spawn(process.execPath, [file], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, BULKHEAD_TELL_TIMES: "1", ...(isolation ? { BULKHEAD_ISOLATION: isolation } : {}) },
    });
    let text = "";
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      child.kill("SIGKILL");
    }, FILE_DEADLINE);
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      const { plain, times } = parted(stripVTControlCharacters(text));
      const read = (word: string): number =>
        [...plain.matchAll(new RegExp(`^\\s*${word}:\\s+(\\d+)`, "gm"))].reduce(
          (total, match) => total + Number(match[1]),
          0,
        );
      const total = read("Total");
      const passed = read("Passed");
      const skipped = read("Skipped");
      const failed = Math.max(0, total - passed);
      let why: string | undefined;
      if (timedOut) why = "the file's own deadline passed";
      else if (!/^\s*Total:/m.test(plain)) why = `it did not report (exit ${code ?? signal})`;
      else if (total === 0 && skipped === 0) why = "it ran no test";
      else if (failed > 0) why = `${failed} failed`;
      else if (code !== 0) why = `it ended with ${code ?? signal}`;
      if (why) console.log(sourcePlaces(plain));
      else
        for (const line of plain.split("\n"))
          if (line.startsWith("SKIPPED") || line.startsWith("NOTE ")) console.log(line);
      resolve({
        passed,
        skipped,
        failed: why ? Math.max(1, failed) : 0,
        ms: Date.now() - started,
        ...(why ? { why } : {}),
        ...(times ? { times } : {}),
      });
    });
  });
}

/** Takes the line with the times out of a file's output. */
function parted(text: string): { plain: string; times?: Times } {
  const at = text.lastIndexOf(TIMES_MARK);
  if (at < 0) return { plain: text };
  const end = text.indexOf("\n", at);
  const line = text.slice(at + TIMES_MARK.length, end < 0 ? undefined : end);
  const plain = text.slice(0, at) + (end < 0 ? "" : text.slice(end + 1));
  try {
    return { plain, times: JSON.parse(line) as Times };
  } catch {
    return { plain: text };
  }
}
