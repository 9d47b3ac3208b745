/** Builds of other commits, to hold this one against. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { REPO } from "../kit/host.js";

/** The last commit whose journal was kept by lmdb. */
export const LMDB_COMMIT = "5d63830";

/** Checks a commit out into `place`, installs its packages and builds it, tests included. Throws what git and npm report. */
export function buildCommit(place: string, commit: string): void {
  git("worktree", "add", "--detach", place, commit);
  const npm = (...args: readonly string[]): void => {
    execFileSync("npm", args, { cwd: place, stdio: ["ignore", "ignore", "inherit"] });
  };
  npm("ci", "--prefer-offline", "--no-audit", "--no-fund");
  npm("run", "build:test");
}

export function git(...args: readonly string[]): string {
  return execFileSync("git", args, { cwd: REPO, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trim();
}

/** The folder of the build of `LMDB_COMMIT`: `BULKHEAD_BASE`, or one below the user's cache folder. */
export const BASE: string =
  process.env.BULKHEAD_BASE ??
  join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "bulkhead-bench", LMDB_COMMIT);

/** Builds it at the first use. Returns why it cannot be had. */
export function noBase(): string | undefined {
  if (existsSync(join(BASE, "dist/index.js"))) return undefined;
  try {
    console.error(`building ${LMDB_COMMIT} in ${BASE}`);
    mkdirSync(join(BASE, ".."), { recursive: true });
    git("worktree", "prune");
    buildCommit(BASE, LMDB_COMMIT);
    return undefined;
  } catch (error) {
    return `no build of ${LMDB_COMMIT}: ${(error as Error).message.split("\n", 1)[0]}`;
  }
}
