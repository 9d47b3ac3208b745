/** An unknown id: the ids that exist, as many as fit a line, and how many more. */
import { assert, suite } from "../harness.js";
import { CODE, cli, fill } from "./cli.js";

const test = suite("cli/not-found");

for (const [count, end] of [
  [20, ", plugin-19\n"],
  [23, ", plugin-19 and 3 more\n"],
] as const) {
  test(`${count} ids`, async (t) => {
    const root = await t.folder();
    const ids = Array.from({ length: count }, (_, n) => `plugin-${String(n).padStart(2, "0")}`);
    await fill(root, Object.fromEntries(ids.map((id) => [`${id}.js`, CODE])));
    const ran = await cli(["grant", "nope", "--plugins", root, "--policy", `${root}/p.json`]);
    assert.is(ran.exit, 1);
    assert.ok(ran.err.includes("; there are: plugin-00, ") && ran.err.endsWith(end), ran.err);
  });
}

test.run();
