/**
 * Has plugins bundled by the run's bundle server, since a bundler process per plugin takes most of a small test's time. Affects every
 * host of the process that imports this; tests of the bundler itself do not.
 */
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { type Bundle, type BundleRequest, bundleThrough } from "#dist/bundler/bundle.js";
import { remembered } from "./bundle-memo.js";

let each = false;

/** From now on every bundle is made by a bundler process of its own: for tests of what happens while a bundle is made. */
export function bundleEachTime(): void {
  each = true;
}

bundleThrough(async (request, real) => {
  // Both end a bundling early, which the server does not.
  if (each || request.signal !== undefined || request.deadline !== undefined) return real(request);
  return remembered(request, async () => (await fromServer(request).catch(() => undefined)) ?? real(request));
});

/** Asks the server. Undefined without one, and for a plugin that is refused: a bundler process then words the refusal. */
async function fromServer({ plugin, root, entry, single }: BundleRequest): Promise<Bundle | undefined> {
  const path = process.env.BULKHEAD_BUNDLE_SERVER;
  if (path === undefined) return undefined;
  const socket = connect(path);
  socket.write(`${JSON.stringify({ plugin, root, entry, single })}\n`);
  const line = await text(socket);
  return line.length > 1 ? (JSON.parse(line) as Bundle) : undefined;
}
