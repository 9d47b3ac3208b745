/**
 * Puts the quick form of `ps` into one file, since most of its time would go into finding and opening two dozen modules; and writes the
 * command itself.
 */
import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { launcher } from "../../dist/cli/launcher.js";

const file = fileURLToPath(new URL("../../dist/cli/control/quick.js", import.meta.url));

await build({
  entryPoints: [file],
  outfile: file,
  allowOverwrite: true,
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node20",
  logLevel: "warning",
});

await writeFile(fileURLToPath(new URL("../../dist/cli/bulkhead", import.meta.url)), launcher(), { mode: 0o755 });
