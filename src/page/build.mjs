/** Bundles the page for browsers, and puts its files where its server reads them. */
import { copyFile, mkdir } from "node:fs/promises";
import { build } from "esbuild";
import { PERMISSIONS } from "../../dist/permissions/catalogue.js";

const from = new URL("./client/", import.meta.url);
const to = new URL("../../dist/page/assets/", import.meta.url);
const gives = Object.fromEntries(Object.entries(PERMISSIONS).map(([name, { gives: words }]) => [name, words]));

await mkdir(to, { recursive: true });
await build({
  entryPoints: ["src/page/client/main.ts"],
  outfile: "dist/page/assets/page.js",
  bundle: true,
  minify: true,
  format: "esm",
  platform: "browser",
  target: "es2022",
  define: { GIVES: JSON.stringify(gives) },
  legalComments: "eof",
  logLevel: "warning",
});
await build({
  stdin: {
    contents: '@import "uplot/dist/uPlot.min.css"; @import "./src/page/client/page.css";',
    resolveDir: ".",
    loader: "css",
  },
  outfile: "dist/page/assets/page.css",
  bundle: true,
  minify: true,
  logLevel: "warning",
});
for (const file of ["index.html", "icon.svg"]) await copyFile(new URL(file, from), new URL(file, to));
