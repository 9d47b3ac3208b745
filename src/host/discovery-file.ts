/** A plugin of one file, `NAME.js`, with an optional manifest beside it. */
import { basename } from "node:path";
import { readManifest } from "../policy/manifest/read-manifest.js";
import { type Discovered, fileError, withManifest } from "./discovered.js";

/** Returns the plugin whose code is the regular file at `path` in the plugins folder `root`. */
export async function findFilePlugin(
  id: string,
  path: string,
  root: string,
  manifestPath: string | undefined,
): Promise<Discovered> {
  const plugin = { id, kind: "file", path, root, entry: path } as const;
  if (manifestPath === undefined) return plugin;
  const read = await readManifest(id, manifestPath);
  if (read.error) return { ...plugin, manifestPath, error: read.error };
  const found = withManifest(plugin, manifestPath, read);
  const { main } = read.manifest;
  if (main === undefined || main.replace(/^(\.\/)+/, "") === basename(path)) return found;
  const rule = `main: the code of this plugin is ${JSON.stringify(basename(path))}, beside the manifest; leave main out`;
  return { ...found, error: fileError("ERR_MANIFEST_INVALID", id, manifestPath, rule) };
}
