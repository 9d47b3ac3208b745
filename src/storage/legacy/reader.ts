/** Starts readers of lmdb's state files. A reader that is stopped from outside says nothing about the file. */
import { spawn } from "node:child_process";
import { dirname } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { unusable } from "../errors.js";
import { DATA } from "../limits.js";
import type { Row, Table } from "../tables.js";

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
  return answer.problem ?? damageBy(state, end);
}

/** Signals that end a process when it reads a damaged page. */
const CRASHES: ReadonlySet<string> = new Set(["SIGSEGV", "SIGBUS", "SIGABRT", "SIGILL", "SIGFPE"]);

/** Returns what a reader's crash says about the file. Throws `ERR_DATA_DIR` if the reader was stopped, or could not be started. */
function damageBy(state: string, { code, signal, why }: End): string {
  if (why === undefined && (signal === null ? code !== null : CRASHES.has(signal)))
    return `the process that read it ${signal === null ? `ended with code ${code}` : `was ended by ${signal}`}`;
  const words = why ?? `the process that reads it was ended by ${signal}`;
  throw unusable(dirname(state), new Error(`${words}; nothing was changed, try again`));
}

/**
 * Returns the intact rows of a table, the number of the last write in the file (0: unknown), and why rows may be missing. A
 * damaged table is read from both ends.
 */
export async function salvage(
  state: string,
  table: Table,
): Promise<{ readonly rows: readonly Row[]; readonly n: number; readonly problem?: string }> {
  const rows = new Map<string, Row>();
  let n = 0;
  let problem: string | undefined;
  for (const direction of ["up", "down"]) {
    let ended = false;
    const end = await run(["rows", state, table, direction], (line) => {
      const read = JSON.parse(line);
      if (Array.isArray(read)) rows.set(read[0], { key: Buffer.from(read[0], "base64"), body: read[1] });
      else {
        ended = true;
        n = read.n ?? 0;
        if (read.problem !== undefined) problem = read.problem;
        else if (read.damaged > 0) problem = `${read.damaged} row(s) fail their checksums`;
      }
    });
    if (!ended) problem = damageBy(state, end);
    if (problem === undefined) break;
  }
  return { rows: [...rows.values()], n, ...(problem === undefined ? {} : { problem }) };
}

/** How a reader ended; `why`: it was not started, or ran out of time. */
interface End {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly why?: string;
}

/** Runs a reader; resolves with how it ended. */
function run(args: readonly string[], line: (text: string) => void): Promise<End> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [SCRIPT, ...args], {
      cwd: "/",
      env: {},
      stdio: ["ignore", "pipe", "ignore"],
    });
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      child.kill("SIGKILL");
    }, DATA.examineMs);
    const settle = (end: End): void => {
      clearTimeout(timer);
      resolve(late ? { ...end, why: `reading it took more than ${DATA.examineMs / 1000} s` } : end);
    };
    child.once("error", (error) =>
      settle({ code: null, signal: null, why: `no process could be started (${error.message})` }),
    );
    // Without free descriptors Node starts nothing, and has no streams.
    if ((child.stdout as unknown) === undefined) return;
    const lines = createInterface({ input: child.stdout });
    lines.on("line", (text) => {
      try {
        line(text);
      } catch {
        // A last line that was only half written.
      }
    });
    child.once("close", (code, signal) => settle({ code, signal }));
  });
}
