/** Starts readers of state files from the platform's process. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { DATA } from "./limits.js";
import type { Row, Table } from "./tables.js";

const SCRIPT: string = fileURLToPath(new URL("./reader-main.js", import.meta.url));

/**
 * Returns why a state file cannot be used; undefined if it is sound, and `fresh` is then a copy of it that was read from end
 * to end.
 */
export async function check(state: string, fresh: string, lastFlushed: number): Promise<string | undefined> {
  let answer: { readonly problem?: string; readonly sound?: boolean } = {};
  const end = await run(["check", state, fresh, String(lastFlushed)], (line) => {
    answer = JSON.parse(line);
  });
  if (answer.sound) return undefined;
  return answer.problem ?? `the process that read it ${end}`;
}

/**
 * Returns the intact rows of a table, the number of the last write in the file (0: unknown), and why rows may be missing. A
 * damaged table is read from both ends.
 */
export async function salvage(
  state: string,
  table: Table,
  live: boolean,
): Promise<{ readonly rows: readonly Row[]; readonly n: number; readonly problem?: string }> {
  const rows = new Map<string, Row>();
  let n = 0;
  let problem: string | undefined;
  for (const direction of ["up", "down"]) {
    let ended = false;
    const end = await run(["rows", state, live ? "live" : "still", table, direction], (line) => {
      const read = JSON.parse(line);
      if (Array.isArray(read)) rows.set(read[0], { key: Buffer.from(read[0], "base64"), body: read[1] });
      else {
        ended = true;
        n = read.n ?? 0;
        if (read.problem !== undefined) problem = read.problem;
        else if (read.damaged > 0) problem = `${read.damaged} row(s) fail their checksums`;
      }
    });
    if (!ended) problem = `the process that read it ${end}`;
    if (problem === undefined) break;
  }
  return { rows: [...rows.values()], n, ...(problem === undefined ? {} : { problem }) };
}

/** Runs a reader; resolves with how it ended. */
function run(args: readonly string[], line: (text: string) => void): Promise<string> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [SCRIPT, ...args], {
      cwd: "/",
      env: {},
      stdio: ["ignore", "pipe", "ignore"],
    });
    const timer = setTimeout(() => child.kill("SIGKILL"), DATA.examineMs);
    let end = "did not start";
    child.once("error", () => {});
    if ((child.stdout as unknown) === undefined) {
      // Without free descriptors Node starts nothing, and has no streams.
      clearTimeout(timer);
      resolve(end);
      return;
    }
    const lines = createInterface({ input: child.stdout });
    lines.on("line", (text) => {
      try {
        line(text);
      } catch {
        // A last line that was only half written.
      }
    });
    child.once("exit", (code, signal) => {
      end = signal === null ? `ended with code ${code}` : `was ended by ${signal}`;
    });
    child.once("close", () => {
      clearTimeout(timer);
      resolve(end);
    });
  });
}
