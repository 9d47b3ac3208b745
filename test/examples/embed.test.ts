/** examples/embed: ten lines that run as they stand. */
import { execFile } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { assert, suite } from "../harness.js";
import { noBubblewrap } from "../isolation/walled.js";
import { REPO } from "../kit/host.js";

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

/** Node 20's name of the flag is another. */
const PERMISSION = Number.parseInt(process.versions.node, 10) < 22 ? "--experimental-permission" : "--permission";

test(
  "it runs under Node's permission model with the flags that its page names, and says that one is missing",
  async () => {
    const flags = [PERMISSION, "--allow-fs-read=*", `--allow-fs-write=${tmpdir()}/*`, "--no-warnings"];
    const example = join(REPO, "examples/embed/embed.mjs");
    const { stdout } = await run(process.execPath, [...flags, "--allow-child-process", example]);
    assert.equal(stdout, "10.1.0.2/24 via 10.1.0.1\n");
    const failed = await run(process.execPath, [...flags, example]).then(
      () => assert.unreachable("it ran without child processes"),
      (error: { stderr: string }) => error.stderr,
    );
    assert.match(String(failed), /plugin "hello": Access to this API has been restricted/);
  },
  { needs: noBubblewrap },
);

test.run();
