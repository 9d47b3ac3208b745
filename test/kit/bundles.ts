/**
 * Has plugins bundled by the run's bundle server, since a bundler process per plugin takes most of a small test's time. Affects every
 * host of the process that imports this; tests of the bundler itself do not.
 */
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { type Bundle, type BundleRequest, bundleThrough, refusal } from "#dist/bundler/bundle.js";
import type { Failure } from "#dist/bundler/messages.js";
import { remembered } from "./bundle-memo.js";

let each = false;
let memory = true;

/** From now on every bundle is made by a bundler process of its own: for tests of what happens while a bundle is made. */
export function bundleEachTime(): void {
  each = true;
}

/** From now on no bundle is taken from memory: for tests of what the bundler makes. */
export function forgetBundles(): void {
  memory = false;
}

bundleThrough(async (request, real) => {
  // Both end a bundling early, which the server does not.
  if (each || request.signal !== undefined || request.deadline !== undefined) return real(request);
  const make = async (): Promise<Bundle> => {
    const answer = await fromServer(request).catch(() => undefined);
    if (answer === undefined) return real(request);
    if ("ok" in answer) throw refusal(request.plugin, answer, "");
    return answer;
  };
  return memory ? remembered(request, make) : make();
});

/** How long the server may take, in milliseconds. */
const SERVER_MS = 15_000;

/** Asks the server. Undefined without one, and where it failed: a bundler process then says how. */
async function fromServer({ plugin, root, entry, single }: BundleRequest): Promise<Bundle | Failure | undefined> {
  const path = process.env.BULKHEAD_BUNDLE_SERVER;
  if (path === undefined) return undefined;
  const socket = connect(path);
  socket.setTimeout(SERVER_MS, () => socket.destroy(new Error("the bundle server does not answer")));
  socket.write(`${JSON.stringify({ plugin, root, entry, single, memory })}\n`);
  const line = await text(socket);
  return line.length > 1 ? (JSON.parse(line) as Bundle | Failure) : undefined;
}
