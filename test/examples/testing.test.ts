/** examples/testing: its tests pass under node:test, rule by rule, and fail when the driver breaks one. */
import { execFile } from "node:child_process";
import { cp, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { assert, suite } from "../harness.js";
import { REPO } from "../kit/host.js";

const test = suite("examples/testing");
const run = promisify(execFile);

/** Has the example's many hosts use the run's bundle server; the second test bundles as an author's tests do. */
const BUNDLES = ["--import", join(REPO, "build/test/kit/bundles.js")];

/** What `node --test` says of a file. */
async function tested(
  file: string,
  ...options: readonly string[]
): Promise<{ readonly passed: number; readonly failed: number; readonly text: string }> {
  const args = ["--test", "--test-reporter=tap", ...options, file];
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const { stdout } = await run(process.execPath, args, { env }).catch((error: { stdout: string }) => error);
  const count = (word: string): number => Number(new RegExp(`^# ${word} (\\d+)$`, "m").exec(stdout)?.[1]);
  return { passed: count("pass"), failed: count("fail"), text: stdout };
}

test(
  "it passes",
  async () => {
    const { passed, failed, text } = await tested(join(REPO, "examples/testing/leases.test.mjs"), ...BUNDLES);
    assert.is(failed, 0, text);
    assert.ok(passed > 60, text);
    assert.match(text, /ok \d+ - restart-before-join: If the worker ends before join\(\)/);
  },
  { ms: 360_000 },
);

test(
  "a driver that breaks a rule fails by its name",
  async (t) => {
    const folder = await t.folder();
    await cp(join(REPO, "examples/testing"), folder, { recursive: true });
    await mkdir(join(folder, "node_modules"));
    await symlink(REPO, join(folder, "node_modules/bulkhead"));
    const path = join(folder, "leases.js");
    const broken = (await readFile(path, "utf8")).replace("network(nid).leases.delete(eid);", "");
    await writeFile(path, broken);
    await writeFile(join(folder, "package.json"), '{ "type": "module" }');
    const { failed, text } = await tested(join(folder, "leases.test.mjs"), "--test-name-pattern=endpoints");
    assert.ok(failed > 0, text);
    assert.match(text, /not ok \d+ - endpoints-leave-nothing: /);
    assert.match(text, /the seed: DeleteEndpoint invokes the driver method/);
  },
  { ms: 360_000 },
);

test.run();
