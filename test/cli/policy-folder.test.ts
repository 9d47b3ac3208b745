/** A policy in a folder that is not there: told as that, with what to do, and nothing is made. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { assert, suite } from "../harness.js";
import { CODE, cli, fill } from "./cli.js";

const test = suite("cli/policy-folder");

for (const command of ["grant", "revoke"]) {
  test(command, async (t) => {
    const root = await t.folder();
    await fill(root, { "plugins/one.js": CODE });
    const [folder, plugins] = [join(root, "new"), join(root, "plugins")];
    const policy = join(folder, "p.json");
    const ran = await cli([command, "one", "--policy", policy, ...(command === "grant" ? ["--plugins", plugins] : [])]);
    const words = `${policy}: it cannot be written: the folder ${folder} does not exist; create it first, or name another file`;
    assert.equal([ran.exit, ran.err], [1, `error ERR_POLICY_INVALID: ${words}\n`]);
    assert.not.ok(existsSync(folder));
  });
}

test.run();
