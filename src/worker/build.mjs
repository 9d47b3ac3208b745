/** Bundles the worker's compiled code with ses, comlink and ipaddr.js into the one file a worker may read. */
import { build } from "esbuild";

await build({
  entryPoints: ["dist/worker/main.js"],
  outfile: "dist/worker/bootstrap.cjs",
  bundle: true,
  format: "cjs",
  platform: "node",
  target: "node20",
  legalComments: "eof",
  logLevel: "warning",
});
