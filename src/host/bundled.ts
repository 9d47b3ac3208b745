/** A discovered plugin, bundled: the script to run, and the digest that a policy pins. */
import { basename } from "node:path";
import { type Bundle, bundlePlugin } from "../bundler/bundle.js";
import { pluginDigest } from "../bundler/digest.js";
import { type Discovered, fileError } from "./discovered.js";

/** A bundle with the plugin's digest. */
export interface Bundled extends Bundle {
  /** Hex; covers every file of the bundle, how they import each other, and the manifest. */
  readonly sha256: string;
}

/** Bundles `plugin`. Throws its `error`, if it has one, and the errors of `bundlePlugin`. */
export async function bundleDiscovered(plugin: Discovered, signal?: AbortSignal): Promise<Bundled> {
  const { id, kind, root, entry, manifestBytes, manifestPath, error } = plugin;
  if (error) throw error;
  if (entry === undefined) throw fileError("ERR_PLUGIN_FILE", id, plugin.path, "it has no code");
  const bundle = await bundlePlugin({ plugin: id, root, entry, single: kind === "file", signal });
  // A manifest is in the plugin's root, for both kinds of plugin.
  const path = manifestPath === undefined ? undefined : basename(manifestPath);
  return { ...bundle, sha256: pluginDigest(bundle.files, manifestBytes, path, bundle.imports) };
}
