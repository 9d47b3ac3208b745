/** Copies of folders. `cp` of node:fs/promises takes twenty times the processor time of the program for a package's thousand files. */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Copies a folder to a path that does not exist. Rejects if `from` does not exist. */
export async function copyFolder(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await run("cp", ["-R", from, to]);
}

/** Creates a folder that all tests of this process share, and that is removed when it ends. */
export function keptFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "bulkhead-kept-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
