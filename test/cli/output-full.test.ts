/** Output that cannot be written: one line, exit 1 and no stack; a reader that went away is not an error. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { assert, suite, type TestContext } from "../harness.js";
import { REPO } from "../kit/host.js";
import { CODE, fill } from "./cli.js";

const test = suite("cli/output-full");

/** `bulkhead ls` of one plugin in a shell, with `rest` after it. */
async function ls(t: TestContext, rest: string): Promise<{ readonly code: unknown; readonly err: string }> {
  const root = await t.folder();
  await fill(root, { "plugins/one.js": CODE });
  const main = join(REPO, "dist/cli/main.js");
  const line = `set -o pipefail; "$0" "${main}" ls --plugins plugins ${rest}`;
  return new Promise((resolve) => {
    execFile("bash", ["-c", line, process.execPath], { cwd: root }, (error, _, err) =>
      resolve({ code: error?.code ?? 0, err }),
    );
  });
}

test(
  "a full disk",
  async (t) => {
    const { code, err } = await ls(t, "> /dev/full");
    assert.is(err, "error: the output was not written: ENOSPC: no space left on device, write\n");
    assert.is(code, 1);
    assert.is((await ls(t, "> /dev/full 2>&1")).code, 1);
  },
  { needs: existsSync("/dev/full") ? false : "no /dev/full" },
);

test("a reader that went away", async (t) => {
  assert.equal(await ls(t, "| true"), { code: 0, err: "" });
});

test.run();
