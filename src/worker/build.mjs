/** Bundles the code that runs outside the platform's process: the worker, with ses, comlink and ipaddr.js, and a host process. */
import { build } from "esbuild";

const common = { bundle: true, platform: "node", target: "node20", legalComments: "eof", logLevel: "warning" };

await build({
  ...common,
  entryPoints: ["dist/worker/main.js"],
  outfile: "dist/worker/bootstrap.cjs",
  format: "cjs",
});
// Piscina stays a package: its workers start from a file of its own.
await build({
  ...common,
  entryPoints: ["dist/isolation/host-process-main.js"],
  outfile: "dist/isolation/host-process.mjs",
  format: "esm",
  external: ["piscina"],
});
// The programs that the doctor runs behind the wall, in place of the worker and the host process.
await build({
  ...common,
  entryPoints: { worker: "dist/doctor/inside/worker.js" },
  outdir: "dist/doctor",
  outExtension: { ".js": ".cjs" },
  format: "cjs",
});
await build({
  ...common,
  entryPoints: ["process", "grow", "linger"].map((name) => `dist/doctor/inside/${name}.js`),
  outdir: "dist/doctor",
  outExtension: { ".js": ".mjs" },
  format: "esm",
  external: ["piscina"],
});
