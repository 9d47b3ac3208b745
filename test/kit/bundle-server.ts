/**
 * Bundles plugins for all the files of a run, each text once. A client sends a request as a line of JSON and gets the bundle or the
 * refusal as one, or an empty line where the bundler itself fails. Usage: node bundle-server.js SOCKET. When standard input closes,
 * because the runner has ended, it removes the socket's folder and ends.
 */
import { rmSync } from "node:fs";
import { createServer } from "node:net";
import { dirname } from "node:path";
import { createInterface } from "node:readline";
import type { Bundle, BundleRequest } from "#dist/bundler/bundle.js";
import { compile } from "#dist/bundler/compile.js";
import type { Failure } from "#dist/bundler/messages.js";
import { BundleRefusal } from "#dist/bundler/refusal.js";
import { remembered } from "./bundle-memo.js";

/** What a client asks; `memory`: a bundle made before will do. */
interface Asked extends BundleRequest {
  readonly memory: boolean;
}

async function bundled(request: Asked): Promise<Bundle> {
  const make = async (): Promise<Bundle> => {
    const { ok: _, ...bundle } = await compile(request);
    return bundle;
  };
  return request.memory ? remembered(request, make) : make();
}

/** Throws what only a bundler process can word: it knows how the bundler failed. */
function refused(error: unknown): Failure {
  if (error instanceof BundleRefusal && error.code !== "ERR_BUNDLE_FAILED") return error.toFailure();
  throw error;
}

const [, , path = ""] = process.argv;

createServer((socket) => {
  socket.on("error", () => {});
  createInterface({ input: socket }).once("line", (line) => {
    bundled(JSON.parse(line) as Asked)
      .catch(refused)
      .then(
        (answer) => socket.end(`${JSON.stringify(answer)}\n`),
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
