/** examples/hello-ts and examples/embed as their pages say, where Bulkhead is installed. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { codeBlock } from "../docs/blocks.js";
import { assert, suite } from "../harness.js";
import { noBubblewrap } from "../isolation/walled.js";
import { REPO } from "../kit/host.js";
import { terminal } from "./terminal.js";

const test = suite("newcomer: the examples");

test(
  "hello-ts is copied, checked and type-checked; embed runs where it is",
  async (t) => {
    const { type } = await terminal(t);
    const { stdout } = await type(await codeBlock("examples/hello-ts/README.md", "sh", "npm install"));
    assert.match(stdout, /registered {3}hello-ts \(local\)/);
    const page = await readFile(join(REPO, "examples/embed/README.md"), "utf8");
    const line = /`(node node_modules\/[^`]+)`/.exec(page)?.[1] ?? "false";
    assert.is((await type(line)).stdout, "10.1.0.2/24 via 10.1.0.1\n");
  },
  { ms: 180_000, needs: noBubblewrap },
);

test.run();
