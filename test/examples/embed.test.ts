/** examples/embed: ten lines that run as they stand. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { assert, suite } from "../harness.js";
import { REPO } from "../host/platform/house.js";
import { noBubblewrap } from "../isolation/walled.js";

const test = suite("examples/embed");
const run = promisify(execFile);

test(
  "it prints the endpoint's address and gateway, and ends",
  async () => {
    const { stdout, stderr } = await run(process.execPath, [join(REPO, "examples/embed/embed.mjs")]);
    assert.equal([stdout, stderr], ["10.1.0.2/24 via 10.1.0.1\n", ""]);
  },
  { needs: noBubblewrap },
);

test.run();
