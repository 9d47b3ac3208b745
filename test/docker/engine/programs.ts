/** Programs of the acceptance: run to their end, or followed while they run. */
import { type ChildProcess, execFile } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import type { Readable } from "node:stream";

/** What a program said, and how it ended. */
export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  readonly ms: number;
}

/** A process inside, by its id outside. */
export interface Inside {
  readonly child: ChildProcess;
  /** How it ended, in a word. */
  readonly ended: Promise<string>;
  /** All it said on standard error. */
  log(): string;
  /** All it said on standard output. */
  said(): string;
  kill(signal: "SIGKILL" | "SIGTERM"): Promise<void>;
  /** The processes below it whose command line has a text. */
  below(text: string): readonly number[];
}

/** Runs a program, with a limit on its time. Never rejects. */
export function execute(
  [file = "", ...args]: readonly string[],
  env: NodeJS.ProcessEnv,
  { ms = 60_000, input }: { readonly ms?: number; readonly input?: string } = {},
): Promise<Ran> {
  const began = performance.now();
  return new Promise((resolve) => {
    const child = execFile(file, args, { env, timeout: ms, killSignal: "SIGKILL" }, (error, out, err) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
      resolve({ code, out, err: err || (error?.message ?? ""), ms: performance.now() - began });
    });
    // A program that does not read what it is given may have ended already.
    child.stdin?.on("error", () => {});
    child.stdin?.end(input);
  });
}

/** More than any daemon says in a run: tests look at what is new in a log since a length that they have noted. */
const LOG_CHARS = 20_000_000;

/** Follows a process that `nsenter` has started. */
export function follow(child: ChildProcess & { readonly stdout: Readable; readonly stderr: Readable }): Inside {
  let [out, err] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    err = (err + text).slice(-LOG_CHARS);
  });
  const ended = once(child, "exit").then(([code, signal]) => String(signal ?? code));
  return {
    child,
    ended,
    log: () => err,
    said: () => out,
    async kill(signal) {
      // The child is nsenter, which has forked: a signal must reach the program itself.
      const [pid] = childrenOf(child.pid ?? 0);
      if (child.exitCode !== null || pid === undefined) return;
      process.kill(pid, signal);
      await ended;
    },
    below(text) {
      const walk = (pid: number): readonly number[] => childrenOf(pid).flatMap((one) => [one, ...walk(one)]);
      return walk(child.pid ?? 0).filter((pid) => commandLine(pid).includes(text));
    },
  };
}

/** The processes that a process has started, and that live; of any of its threads. */
export function childrenOf(pid: number): readonly number[] {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    const texts = threads.map((thread) => readFileSync(`/proc/${pid}/task/${thread}/children`, "utf8"));
    return texts.flatMap((text) => text.split(" ").filter(Boolean).map(Number));
  } catch {
    return [];
  }
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
