/** A data folder whose lock cannot be had for want of rights, or as it is not a folder: told as that, and no stack. */
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import "#dist/cli/state.js"; // Loaded as root: nobody need not reach it.
import { assert, suite } from "../harness.js";
import { cli } from "./cli.js";

const test = suite("cli/state-lock");
const NOBODY = 65534;

test(
  "somebody else's folder, looked at and recovered",
  async (t) => {
    const root = await t.folder();
    const folder = join(root, "data");
    await mkdir(folder);
    await writeFile(join(folder, "log.000001"), "", { mode: 0o600 });
    await writeFile(join(folder, "host.lock"), "", { mode: 0o600 });
    for (const path of [root, folder]) await chmod(path, 0o755);
    t.cleanup(() => process.seteuid?.(0));
    process.seteuid?.(NOBODY);
    for (const more of [[], ["--recover"]]) {
      const ran = await cli(["state", "--data-dir", folder, ...more]);
      const words = `the data folder ${folder} cannot be used: this account may not access it; run as its owner`;
      assert.equal([ran.exit, ran.err], [1, `error ERR_DATA_DIR: ${words}\n`]);
    }
  },
  { needs: process.getuid?.() === 0 ? false : "no root" },
);

test("a file is recovered no more than looked at", async (t) => {
  const file = join(await t.folder(), "file");
  await writeFile(file, "");
  for (const more of [[], ["--recover"]]) {
    const ran = await cli(["state", "--data-dir", file, ...more]);
    assert.is(ran.exit, 1);
    assert.match(ran.err, /^error ERR_DATA_DIR: .*: it is not a folder; name the folder with --data-dir/);
  }
});

test.run();
