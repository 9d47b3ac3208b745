/** Runs a plugin's own tests, and gathers what their hosts saw it use. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { DriverError } from "../../driverapi/errors.js";
import { together, type Usage } from "../../learning/usage.js";
import { LEARN_FOLDER, type SeenUsage } from "../../testing/learned.js";

/** Runs `node --test` on a file, or in a folder. Throws `ERR_USAGE` if the tests fail, or started no host with that plugin. */
export async function usageInTests(
  id: string,
  tests: string,
): Promise<{ readonly usage: Usage; readonly hosts: number }> {
  const path = resolve(tests);
  const about = await stat(path).catch(() => undefined);
  if (about === undefined) throw new DriverError("ERR_USAGE", `--tests ${tests}: no such file or folder`);
  const folder = await mkdtemp(join(tmpdir(), "bulkhead-learn-"));
  try {
    const [cwd, args] = about.isDirectory() ? [path, ["--test"]] : [dirname(path), ["--test", path]];
    const child = spawn(process.execPath, args, {
      cwd,
      env: { ...process.env, [LEARN_FOLDER]: folder },
      // An outer test runner would read the child's standard output as its own.
      stdio: ["ignore", "ignore", "inherit"],
    });
    const [code] = (await once(child, "exit")) as [number | null];
    if (code !== 0)
      throw new DriverError(
        "ERR_USAGE",
        `the tests in ${tests} failed; run them with node --test, and then learn again`,
      );
    return await gathered(id, folder, tests);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function gathered(id: string, folder: string, tests: string): Promise<{ usage: Usage; hosts: number }> {
  const texts = await Promise.all((await readdir(folder)).map((name) => readFile(join(folder, name), "utf8")));
  const seen = texts.map((text) => JSON.parse(text) as SeenUsage).filter(({ plugin }) => plugin === id);
  if (seen.length === 0)
    throw new DriverError("ERR_USAGE", `the tests in ${tests} started no host of bulkhead/testing with "${id}"`);
  return { usage: seen.map(({ usage }) => usage).reduce(together), hosts: seen.length };
}
