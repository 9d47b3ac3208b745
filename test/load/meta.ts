/** Where and when a table was taken: what a reader needs to take it again. */
import { execFileSync } from "node:child_process";
import { readFileSync, statfsSync } from "node:fs";
import { cpus, loadavg, release, totalmem } from "node:os";
import { fileURLToPath } from "node:url";
import { ROUNDS } from "./row.js";

export interface Meta {
  readonly commit: string;
  readonly node: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryMb: number;
  readonly kernel: string;
  readonly date: string;
  /** Load averages of 1, 5 and 15 minutes, before and after. */
  readonly loadBefore: readonly number[];
  readonly loadAfter: readonly number[];
  readonly seconds: number;
  /** What each row says of itself; where a row's bar names none, the default. */
  readonly isolation: "process";
  readonly settings: {
    readonly smoke: boolean;
    /** Of each row with a bar. */
    readonly rounds: number;
    readonly sandbox: string;
    /** File system that journals were written to. */
    readonly disk: string;
    readonly only: readonly string[] | null;
  };
}

const EXT4 = 0xef53;
const TMPFS = 0x01021994;
const OVERLAY = 0x794c7630;
const KNOWN = new Map([
  [EXT4, "ext4"],
  [TMPFS, "tmpfs: its flushes cost nothing"],
  [OVERLAY, "overlay"],
]);

/** Call it at the start; what it gives, at the end. */
export function takeMeta(smoke: boolean, rounds: number | undefined, only: readonly string[] | undefined): () => Meta {
  const loadBefore = loadavg();
  const began = performance.now();
  const date = new Date().toISOString();
  const { type } = statfsSync(fileURLToPath(new URL(".", import.meta.url)));
  return () => ({
    commit: commit(),
    node: process.version,
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    memoryMb: Math.round(totalmem() / 2 ** 20),
    kernel: release(),
    date,
    loadBefore,
    loadAfter: loadavg(),
    seconds: Math.round((performance.now() - began) / 1000),
    isolation: "process",
    settings: {
      smoke,
      rounds: rounds ?? (smoke ? 1 : ROUNDS),
      sandbox: `auto: ${hasBubblewrap() ? "bubblewrap" : "Node's permission flags"}`,
      disk: KNOWN.get(type) ?? `0x${type.toString(16)}`,
      only: only ?? null,
    },
  });
}

function commit(): string {
  try {
    const git = (...args: readonly string[]): string =>
      execFileSync("git", args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
    const changed = git("status", "--porcelain", "--untracked-files=no") === "" ? "" : "+changes";
    return `${git("rev-parse", "--short", "HEAD")}${changed}`;
  } catch {
    return `unknown (package ${(JSON.parse(readFileSync("package.json", "utf8")) as { version: string }).version})`;
  }
}

function hasBubblewrap(): boolean {
  try {
    execFileSync("bwrap", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
