/** A platform that bundles Bulkhead into its own file is told so, and what to do, in both forms of module. */
import { execFileSync, spawnSync } from "node:child_process";
import { symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { assert, suite } from "../harness.js";
import { REPO } from "../kit/host.js";

const test = suite("host: bundled");

for (const [format, ending] of [
  ["esm", "mjs"],
  ["cjs", "cjs"],
] as const) {
  test(`${format}: ERR_BUNDLED, with how to leave it out`, async (t) => {
    const root = await t.folder();
    const [entry, bundle] = [join(root, "platform.mjs"), join(root, `out.${ending}`)];
    await symlink(join(REPO, "node_modules"), join(root, "node_modules"));
    await writeFile(
      entry,
      `import { createPluginHost } from ${JSON.stringify(join(REPO, "dist/index.js"))};
      createPluginHost({ plugins: "." }).catch((error) => { console.error(error.code, error.message); process.exit(1); });`,
    );
    const esbuild = join(REPO, "node_modules/.bin/esbuild");
    const flags = ["--bundle", "--platform=node", `--format=${format}`, "--log-level=error", "--external:lmdb"];
    // Of packages in CommonJS, which a bundle in ECMAScript's form asks for Node's modules by a function that is not there.
    const banner =
      "--banner:js=import { createRequire as requireFor } from 'node:module'; const require = requireFor(import.meta.url);";
    execFileSync(esbuild, [entry, ...flags, ...(format === "esm" ? [banner] : []), `--outfile=${bundle}`]);
    const { status, stderr } = spawnSync(process.execPath, [bundle], { encoding: "utf8" });
    assert.is(status, 1, stderr);
    assert.ok(stderr.includes("ERR_BUNDLED"), stderr);
    assert.match(stderr, "--external:bulkhead");
  });
}

test.run();
