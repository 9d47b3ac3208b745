/** Plugins written into temporary folders, bundled, and evaluated as the sandbox does. */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Bundle, type BundleRequest, bundlePlugin } from "#dist/bundler/bundle.js";
import { PLUGIN_GLOBAL } from "#dist/protocol/bundle-global.js";
import { assert, rejection, type TestContext } from "../harness.js";
import { copyFolder } from "../kit/copy.js";

const repository: string = fileURLToPath(new URL("../../..", import.meta.url));

/** Writes files (path → text or bytes) below a folder. */
export async function write(folder: string, files: Record<string, string | Uint8Array>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
}

/** Copies installed packages into a folder's node_modules. */
export async function install(folder: string, ...packages: string[]): Promise<void> {
  for (const name of packages) {
    await copyFolder(join(repository, "node_modules", name), join(folder, "node_modules", name));
  }
}

/** A plugin's folder inside a fresh one, so that there is an outside: `FRESH/plugin`. */
export async function pluginFolder(t: TestContext, files: Record<string, string | Uint8Array>): Promise<string> {
  const root = join(await t.folder(), "plugin");
  await mkdir(root);
  await write(root, files);
  return root;
}

/** Bundles a folder's `index.js`, or what `more` says. */
export function bundle(root: string, more: Partial<BundleRequest> = {}): Promise<Bundle> {
  return bundlePlugin({ plugin: "sample", root, entry: join(root, "index.js"), single: false, ...more });
}

/** The rejection of a bundle. After a bundler that failed itself, another plugin must still be bundled. */
export async function refused(
  t: TestContext,
  root: string,
  more: Partial<BundleRequest> = {},
): ReturnType<typeof rejection> {
  const error = await rejection(bundle(root, more));
  assert.is(error.plugin, "sample");
  assert.ok(error.message.startsWith('plugin "sample": '), error.message);
  if (error.code !== "ERR_BUNDLE_FAILED") return error;
  const another = await bundle(await pluginFolder(t, { "index.js": "export const fine = 40 + 2;" }));
  assert.is((run(another) as { fine: number }).fine, 42);
  return error;
}

/** Runs a bundle's code in this very process: only for code that a test has written itself. */
export function run(bundled: Bundle): unknown {
  return new Function(`"use strict";${bundled.code}\nreturn ${PLUGIN_GLOBAL};`)();
}
