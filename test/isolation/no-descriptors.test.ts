/** A platform without file descriptors to spare starts nothing, says so, and lives. */
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { assert, suite } from "../harness.js";
import { plugin } from "../kit/plugins.js";

const test = suite("isolation: out of file descriptors");
const PLATFORM = fileURLToPath(new URL("./out-of-descriptors.js", import.meta.url));

const CRASHES = plugin("crash", {
  methods: `createEndpoint() { Promise.reject(new Error("crashed")); return new Promise(() => {}); },`,
});

test(
  "neither a bundler nor a host process that cannot be started ends the platform; with descriptors again, all is well",
  async (t) => {
    const plugins = await t.folder();
    await writeFile(join(plugins, "crash.js"), CRASHES);
    // Rejects where it ends with anything but 0: an uncaught exception does.
    const { stdout } = await promisify(execFile)("/bin/sh", [
      "-c",
      'ulimit -n 512; exec "$@"',
      "sh",
      process.execPath,
      PLATFORM,
      plugins,
    ]);
    const { refusal, codes, state } = JSON.parse(stdout);
    assert.is(refusal, "ERR_BUNDLE_FAILED");
    // The event that ends the calls may come before one of them is told that the plugin is unavailable.
    assert.ok(codes.includes("ERR_OUTCOME_UNKNOWN"), codes.join());
    for (const code of codes as readonly string[])
      assert.match(code, /^ERR_(OUTCOME_UNKNOWN|PLUGIN_UNAVAILABLE|DRIVER_TIMEOUT)$/);
    assert.is(state, "running");
  },
  { ms: 90_000 },
);

test.run();
