/** The runner's side of the bundle server (kit/bundle-server.ts). */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** How long it may take to end, in milliseconds: a plugin's file can block it, when a rule of the bundler is broken. */
const END_MS = 5_000;
const SCRIPT = fileURLToPath(new URL("./kit/bundle-server.js", import.meta.url));

/** Starts it; files find it by BULKHEAD_BUNDLE_SERVER. Resolves, once it listens, with what ends it. */
export async function startBundleServer(): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), "bulkhead-bundles-"));
  const path = join(folder, "socket");
  const child = spawn(process.execPath, [SCRIPT, path], { stdio: ["pipe", "pipe", "inherit"] });
  const closed = once(child, "close");
  await Promise.race([once(child.stdout, "data"), closed]);
  process.env.BULKHEAD_BUNDLE_SERVER = path;
  return async () => {
    child.stdin.end();
    const timer = setTimeout(() => child.kill("SIGKILL"), END_MS);
    await closed;
    clearTimeout(timer);
  };
}
