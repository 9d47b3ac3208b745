/**
 * Bundles plugins for all the files of a run, each text once. A client sends a request as a line of JSON and gets the bundle as one,
 * or an empty line for a plugin that is refused. Usage: node bundle-server.js SOCKET. When standard input closes, because the runner
 * has ended, it removes the socket's folder and ends.
 */
import { rmSync } from "node:fs";
import { createServer } from "node:net";
import { dirname } from "node:path";
import { createInterface } from "node:readline";
import type { Bundle, BundleRequest } from "#dist/bundler/bundle.js";
import { compile } from "#dist/bundler/compile.js";
import { remembered } from "./bundle-memo.js";

async function bundled(request: BundleRequest): Promise<Bundle> {
  return remembered(request, async () => {
    const { ok: _, ...bundle } = await compile(request);
    return bundle;
  });
}

const [, , path = ""] = process.argv;

createServer((socket) => {
  socket.on("error", () => {});
  createInterface({ input: socket }).once("line", (line) => {
    bundled(JSON.parse(line) as BundleRequest).then(
      (bundle) => socket.end(`${JSON.stringify(bundle)}\n`),
      () => socket.end("\n"),
    );
  });
}).listen(path, () => console.log("listening"));

process.stdin
  .on("close", () => {
    rmSync(dirname(path), { recursive: true, force: true });
    process.exit();
  })
  .resume();
