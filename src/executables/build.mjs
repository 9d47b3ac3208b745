/** Puts the executable of each platform into one file that Node starts without looking for any other. */
import { rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const dist = (path) => fileURLToPath(new URL(`../../dist/${path}`, import.meta.url));

for (const platform of ["cni", "podman"]) {
  await build({
    entryPoints: [dist(`${platform}/executable.js`)],
    outfile: dist(`executables/${platform}.cjs`),
    bundle: true,
    minifyWhitespace: true,
    legalComments: "none",
    format: "cjs",
    platform: "node",
    target: "node20",
    logLevel: "warning",
  });
  // It is of use in the bundle only.
  rmSync(dist(`${platform}/executable.js`));
}
