/** The perimeter: with `standing-ip.ts`, all of `netlink` that runs `ip`. It uses no shell; commands go to standard input. */
import { execFile } from "node:child_process";
import { NETLINK } from "../limits.js";
import { ENV, type IpOutcome } from "./ip-outcome.js";
import type { IpPool } from "./ip-pool.js";

export class IpRunner {
  /** The namespace's file; undefined: the process's own namespace. */
  readonly netns: string | undefined;
  /** Batches so far. */
  count = 0;
  /** Program and first arguments that run `ip` in its namespace. */
  readonly command: readonly string[];

  readonly #pool: IpPool | undefined;

  /** `pool`: processes that are started before they are needed; without it, each batch starts its own. */
  constructor(command: readonly string[], netns: string | undefined, pool?: IpPool) {
    this.command = command;
    this.netns = netns;
    this.#pool = pool;
  }

  /** Runs lines that print one list each and change nothing. Never rejects. */
  async list(options: readonly string[], lines: readonly string[]): Promise<IpOutcome> {
    const outcome = await this.#pool?.list(options, lines);
    if (outcome === undefined) return this.batch(options, lines);
    this.count++;
    return outcome;
  }

  /** Runs changes. Never rejects. */
  async change(options: readonly string[], lines: readonly string[]): Promise<IpOutcome> {
    const outcome = await this.#pool?.change(options, lines);
    if (outcome === undefined) return this.batch(options, lines);
    this.count++;
    return outcome;
  }

  /** Ends the processes that stand ready. Later batches start their own. */
  async close(): Promise<void> {
    await this.#pool?.close();
  }

  /** Runs `ip OPTIONS -batch -` in a process of its own. Never rejects. */
  batch(options: readonly string[], lines: readonly string[]): Promise<IpOutcome> {
    this.count++;
    const [program = "", ...first] = this.command;
    return execute(program, [...first, ...options, "-batch", "-"], `${lines.join("\n")}\n`);
  }
}

/** Runs a program with a text as its standard input. Never rejects. */
export function execute(program: string, args: readonly string[], input: string): Promise<IpOutcome> {
  return new Promise((resolve) => {
    const child = execFile(
      program,
      args,
      { env: ENV, encoding: "utf8", timeout: NETLINK.runMs, maxBuffer: NETLINK.outputBytes, killSignal: "SIGKILL" },
      (error, stdout, stderr) => {
        if (!error) resolve({ stdout, stderr, code: 0 });
        else if (typeof error.code === "number") resolve({ stdout, stderr, code: error.code });
        else {
          const why = error.killed ? `it was ended after ${NETLINK.runMs} ms` : error.message;
          resolve({ stdout, stderr: `${program}: ${why}`, code: null });
        }
      },
    );
    // Ignored: a program that ends before it has read everything is judged by its exit code.
    child.stdin?.on("error", () => {});
    child.stdin?.end(input);
  });
}
