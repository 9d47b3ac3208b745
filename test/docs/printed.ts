/** A page's script, run as it is printed. */
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { assert } from "../harness.js";

/** Runs a script in a folder, and checks that it prints what its comments say it prints. */
export async function runsAsPrinted(folder: string, script: string): Promise<void> {
  await writeFile(join(folder, "main.mjs"), script);
  const { stdout } = await promisify(execFile)(process.execPath, ["main.mjs"], { cwd: folder });
  const said = [...script.matchAll(/^console\.log\(.*\); \/\/ (.*)$/gm)].map(([, text]) => text);
  assert.ok(said.length > 0);
  assert.equal(stdout.trim().split("\n"), said);
}
