/** Finds the plugins in the plugins folders: names, kinds and manifests. No plugin code is read here. */
import { constants, type Dirent } from "node:fs";
import { access, readdir, realpath, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { quote } from "../common/quote.js";
import { DriverError } from "../driverapi/errors.js";
import { PLUGIN_ID } from "../policy/manifest/schema.js";
import { CODE_KINDS, type Discovered, fileError, shownPath } from "./discovered.js";
import { findFilePlugin } from "./discovery-file.js";
import { findFolderPlugin } from "./discovery-folder.js";

export type { Discovered } from "./discovered.js";

const IGNORED = /^\.|^node_modules$|~$|\.swp$|\.md$|\.d\.[cm]?ts$/;
const SIDECAR = ".plugin.json";
/** Extensions that look loadable and are not; any other extension is ignored. */
const NEAR_MISS = /\.([cm]?[jt]s|[jt]sx)$/i;

/**
 * Returns the plugins in `folders`, sorted by id. A plugin's `error` says what is wrong with it:
 * `ERR_PLUGIN_NAME`, `ERR_PLUGIN_FILE`, `ERR_PLUGIN_DUPLICATE`, `ERR_MANIFEST_MISSING`, `ERR_MANIFEST_INVALID`.
 * Throws `ERR_PLUGINS_DIR` if a folder does not exist or cannot be read.
 */
export async function discoverPlugins(folders: readonly string[]): Promise<Discovered[]> {
  // By real path: a folder that is named twice, or once through a link, does not duplicate its own plugins.
  const roots = new Set<string>();
  for (const folder of folders) roots.add(await openFolder(folder));

  const byId = new Map<string, Discovered[]>();
  for (const root of roots) {
    for (const found of await discoverIn(root)) byId.set(found.id, [...(byId.get(found.id) ?? []), found]);
  }
  const plugins = [...byId.values()].map(mergeDuplicates);
  return plugins.sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
}

async function openFolder(folder: string): Promise<string> {
  const path = resolve(folder);
  try {
    const root = await realpath(path);
    if (!(await stat(root)).isDirectory()) throw Object.assign(new Error("no folder"), { code: "ENOTDIR" });
    await access(root, constants.R_OK | constants.X_OK);
    return root;
  } catch (error) {
    throw noFolder(path, error);
  }
}

function noFolder(path: string, error: unknown): DriverError {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const why =
    code === "ENOENT"
      ? "the folder does not exist; create it, or name another one"
      : code === "ENOTDIR"
        ? "it is not a folder; name the folder that holds the plugins"
        : `it cannot be read (${code || String(error)}); the host needs read and search permission on it`;
  return new DriverError("ERR_PLUGINS_DIR", `plugins folder ${shownPath(path)}: ${why}`, { file: path, cause: error });
}

async function discoverIn(root: string): Promise<Discovered[]> {
  let entries: Dirent[];
  try {
    entries = await readdir(root, { withFileTypes: true });
  } catch (error) {
    throw noFolder(root, error);
  }
  entries = entries.filter((entry) => !IGNORED.test(entry.name)).sort((a, b) => (a.name < b.name ? -1 : 1));
  const manifests = new Map<string, Dirent>();
  for (const entry of entries) if (isSidecar(entry)) manifests.set(entry.name.slice(0, -SIDECAR.length), entry);

  const plugins: Discovered[] = [];
  const withCode = new Set<string>();
  for (const entry of entries) {
    if (isSidecar(entry)) continue;
    const stem = codeStem(entry.name);
    const sidecar = stem === undefined ? undefined : manifests.get(stem);
    const found = await inspectEntry(root, entry, stem, sidecar);
    if (found === undefined) continue;
    if (stem !== undefined) withCode.add(stem);
    plugins.push(found);
  }
  for (const [id, entry] of manifests)
    if (!withCode.has(id)) plugins.push(manifestWithoutCode(root, shownPath(id), entry));
  return plugins;
}

/** Returns true for a manifest beside a file. A folder with such a name is a folder. */
function isSidecar(entry: Dirent): boolean {
  return entry.name.endsWith(SIDECAR) && !entry.isDirectory();
}

/** Returns the id that a name ending like code stands for; undefined for any other name. */
function codeStem(name: string): string | undefined {
  const stem = name.replace(NEAR_MISS, "");
  return stem === name ? undefined : stem;
}

/** Returns the plugin for one entry of the folder that is not a manifest; undefined: the entry is ignored. */
async function inspectEntry(
  root: string,
  entry: Dirent,
  stem: string | undefined,
  sidecar: Dirent | undefined,
): Promise<Discovered | undefined> {
  const path = join(root, entry.name);
  const id = shownPath(stem ?? entry.name);
  const kind = entry.isDirectory() ? "folder" : "file";
  const wrong = (error: DriverError): Discovered => ({ id, kind, path, root, error });

  if (stem === undefined) {
    // A link without an extension could be a plugin's folder; a plain file without one is not a plugin.
    if (entry.isSymbolicLink() && !entry.name.includes(".")) return wrong(linkError(id, path));
    if (!entry.isDirectory()) return undefined;
    if (!PLUGIN_ID.test(id)) return wrong(nameError(id, path, "a plugin's folder"));
    return findFolderPlugin(id, path);
  }
  if (entry.isSymbolicLink()) return wrong(linkError(id, path));
  if (entry.isDirectory()) {
    return wrong(
      fileError(
        "ERR_PLUGIN_FILE",
        id,
        path,
        `it is a folder with a file's name; call it ${quote(stem)} and put a plugin.json in it`,
      ),
    );
  }
  if (!entry.isFile())
    return wrong(fileError("ERR_PLUGIN_FILE", id, path, "it is not a regular file; put the plugin's code there"));
  if (!CODE_KINDS.some((ending) => entry.name === stem + ending)) {
    return wrong(fileError("ERR_PLUGIN_FILE", id, path, `files of this kind do not load; ${CODE_KINDS.join(", ")} do`));
  }
  if (!PLUGIN_ID.test(id)) return wrong(nameError(id, path, "a plugin's file"));
  return findFilePlugin(id, path, root, sidecar && join(root, sidecar.name));
}

/** Merges the plugins of one id: if there are several, none loads, and the error names them all. */
function mergeDuplicates(found: readonly Discovered[]): Discovered {
  const [first, ...others] = found;
  if (first === undefined) throw new DriverError("ERR_PLUGINS_DIR", "no plugins were found to merge");
  if (others.length === 0) return first;
  const paths = found.map(({ path }) => shownPath(path)).join(" and ");
  const { id, kind, path, root } = first;
  const rule = `the plugin id ${quote(id)} is found ${found.length} times: ${paths}; none is loaded until only one is left; one that already runs keeps running`;
  return { id, kind, path, root, error: new DriverError("ERR_PLUGIN_DUPLICATE", rule, { plugin: id, file: path }) };
}

function manifestWithoutCode(root: string, id: string, entry: Dirent): Discovered {
  const path = join(root, entry.name);
  const rule = `a manifest without code beside it; add ${CODE_KINDS.map((ending) => quote(id + ending)).join(" or ")}, or remove it`;
  return { id, kind: "file", path, root, manifestPath: path, error: fileError("ERR_PLUGIN_FILE", id, path, rule) };
}

function nameError(id: string, path: string, what: string): DriverError {
  const rule = `${quote(id)} is not a plugin id; rename ${what} so that its name matches ${PLUGIN_ID.source}`;
  return fileError("ERR_PLUGIN_NAME", id, path, rule);
}

function linkError(id: string, path: string): DriverError {
  return fileError(
    "ERR_PLUGIN_FILE",
    id,
    path,
    "it is a symbolic link, which is not followed; put the plugin itself there",
  );
}
