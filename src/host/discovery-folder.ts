/** A plugin of a folder: `NAME/plugin.json`, and the code that its `main` names. */
import { lstat, realpath } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import type { DriverError } from "../driverapi/errors.js";
import { readManifest } from "../policy/manifest/read-manifest.js";
import { CODE_KINDS, type Discovered, fileError, withManifest } from "./discovered.js";

/** Returns the plugin in the folder at `path`, which is not a link. */
export async function findFolderPlugin(id: string, path: string): Promise<Discovered> {
  const manifestPath = join(path, "plugin.json");
  const plugin = { id, kind: "folder", path, root: path } as const;
  const read = await readManifest(id, manifestPath);
  if (read.error)
    return { ...plugin, ...(read.error.code === "ERR_MANIFEST_MISSING" ? {} : { manifestPath }), error: read.error };
  const found = withManifest(plugin, manifestPath, read);
  const entry = await findEntry(id, path, read.manifest.main);
  return typeof entry === "string" ? { ...found, entry } : { ...found, error: entry };
}

/** Finds the code's file: the one `main` names, else the first `index` with an extension that can be loaded. */
async function findEntry(id: string, folder: string, main: string | undefined): Promise<string | DriverError> {
  const names = main === undefined ? CODE_KINDS.map((ending) => `index${ending}`) : [main];
  for (const name of names) {
    const path = join(folder, name);
    const why = await whyNoCode(folder, path);
    if (why === undefined) return path;
    if (why !== "absent") return fileError("ERR_PLUGIN_FILE", id, path, why);
  }
  if (main !== undefined)
    return fileError(
      "ERR_PLUGIN_FILE",
      id,
      join(folder, main),
      "plugin.json names it as main, but the file does not exist",
    );
  return fileError(
    "ERR_PLUGIN_FILE",
    id,
    folder,
    `it holds none of ${names.join(", ")}; add one, or name the code's file as main in plugin.json`,
  );
}

/** Returns why the file at `path` is not code of the plugin in `folder`; undefined if it is. */
async function whyNoCode(folder: string, path: string): Promise<string | undefined> {
  try {
    const found = await lstat(path);
    if (found.isSymbolicLink()) return "it is a symbolic link, which is not followed; put the code itself there";
    if (!found.isFile()) return "it is not a regular file; put the plugin's code there";
    // A folder on the path may be a link.
    const inside = relative(folder, await realpath(path));
    if (inside === ".." || inside.startsWith(`..${sep}`))
      return "it lies outside the plugin's folder; put the code within it";
    return undefined;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    return code === "ENOENT" || code === "ENOTDIR" ? "absent" : `it cannot be read (${code})`;
  }
}
