/** Copies one plugin to a plugins folder of its own, so that it runs without its neighbours. */

import type { Stats } from "node:fs";
import { copyFile, link, lstat, mkdir, mkdtemp, readdir, readlink, realpath, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { DriverError } from "../driverapi/errors.js";
import { type Discovered, discoverPlugins } from "../host/discovery.js";
import type { Report } from "./output.js";

/** Largest plugin, with its node_modules, that is copied. */
const MAX_BYTES = 512 << 20;
const MAX_FILES = 50_000;

/**
 * Runs `work` on a copy of the plugin at `path`, in a temporary folder whose name begins with `prefix`. Errors, thrown or reported,
 * name the author's own paths. Throws `ERR_PLUGIN_FILE` and `ERR_PLUGIN_SIZE`.
 */
export async function withCopy(
  path: string,
  prefix: string,
  work: (plugin: Discovered, folder: string) => Promise<Report>,
): Promise<Report> {
  const source = resolve(path);
  // The real path, so that it can be replaced in errors.
  const folder = await realpath(await mkdtemp(join(tmpdir(), prefix)));
  try {
    await copyPlugin(source, folder);
    const [plugin] = await discoverPlugins([folder]);
    if (plugin === undefined) {
      const rule = `${source}: this is not a plugin: name a .js, .mjs or .ts file, or a folder with a plugin.json`;
      throw new DriverError("ERR_PLUGIN_FILE", rule, { file: source });
    }
    const report = await work(plugin, folder);
    return report.error ? { ...report, error: atHome(report.error, folder, source) } : report;
  } catch (error) {
    throw error instanceof DriverError ? atHome(error, folder, source) : error;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Returns the same error with the author's paths instead of the copy's, which is in `folder`. */
export function atHome(error: DriverError, folder: string, source: string): DriverError {
  const home = (text: string): string => text.replaceAll(folder, dirname(source));
  const { code, plugin, driver, method, line, file, pluginStack, kind, cause } = error;
  return new DriverError(code, home(error.message), {
    plugin: plugin ?? basename(source),
    driver,
    method,
    line,
    kind,
    cause,
    file: file === undefined ? undefined : home(file),
    pluginStack: pluginStack === undefined ? undefined : home(pluginStack),
  });
}

/** Where packages are installed. */
const PACKAGES = "node_modules";

/**
 * Copies the file or folder at `path` into the folder `into`; for a file, also the manifest and the node_modules beside it.
 * Copies links as links, and leaves out special files. Throws `ERR_PLUGIN_FILE` and `ERR_PLUGIN_SIZE`.
 */
export async function copyPlugin(path: string, into: string): Promise<void> {
  const budget = { bytes: MAX_BYTES, files: MAX_FILES };
  const found = await sourceAt(path);
  const name = basename(path);
  await copyEntry(path, join(into, name), dirname(path), budget);
  if (found.isDirectory()) return;
  for (const beside of [manifestName(name), PACKAGES]) {
    const from = join(dirname(path), beside);
    const there = await lstat(from).catch(() => undefined);
    if (there) await copyEntry(from, join(into, beside), dirname(path), budget);
  }
}

/** Brings a copy up to date, but for its packages. Throws as `copyPlugin` does. */
export async function refreshCopy(path: string, into: string): Promise<void> {
  const budget = { bytes: MAX_BYTES, files: MAX_FILES };
  const found = await sourceAt(path);
  const name = basename(path);
  const [from, to] = found.isDirectory() ? [path, join(into, name)] : [dirname(path), into];
  const own = async (folder: string): Promise<readonly string[]> =>
    found.isDirectory() ? (await readdir(folder)).filter((one) => one !== PACKAGES) : [name, manifestName(name)];
  for (const one of await own(to)) await rm(join(to, one), { recursive: true, force: true });
  for (const one of await own(from)) {
    await copyEntry(join(from, one), join(to, one), dirname(path), budget).catch((error: unknown) => {
      // It has gone meanwhile, as an editor's own files do.
      if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
    });
  }
}

/** Returns what is at the path of a plugin. Throws `ERR_PLUGIN_FILE`. */
async function sourceAt(path: string): Promise<Stats> {
  return lstat(path).catch((error: unknown) => {
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    const why = code === "ENOENT" || code === "ENOTDIR" ? "file or folder not found" : `it cannot be read (${code})`;
    throw new DriverError("ERR_PLUGIN_FILE", `${path}: ${why}; name a plugin's file or folder`, { file: path });
  });
}

/** Returns the name of the manifest beside a file. */
function manifestName(file: string): string {
  return `${file.replace(/\.[^.]*$/, "")}.plugin.json`;
}

async function copyEntry(
  from: string,
  to: string,
  root: string,
  budget: { bytes: number; files: number },
  packages = false,
): Promise<void> {
  const found = await lstat(from);
  budget.files -= 1;
  budget.bytes -= found.isFile() ? found.size : 0;
  if (budget.files < 0 || budget.bytes < 0) {
    const rule = `more than ${MAX_FILES} files or ${MAX_BYTES} bytes; remove what the plugin does not need`;
    throw new DriverError("ERR_PLUGIN_SIZE", `${root}: ${rule}`, { file: root });
  }
  if (found.isSymbolicLink()) {
    const target = resolve(dirname(from), await readlink(from));
    const way = relative(root, target);
    const inside = way !== ".." && !way.startsWith(`..${sep}`);
    // A link inside the plugin leads to the copy; one that leads out still does, and is refused later.
    await symlink(inside ? relative(dirname(from), target) : target, to);
  } else if (found.isDirectory()) {
    await mkdir(to);
    const inside = packages || basename(from) === PACKAGES;
    for (const name of await readdir(from)) await copyEntry(join(from, name), join(to, name), root, budget, inside);
  } else if (found.isFile()) {
    // Packages are large, and nothing writes to the copy's: on the same file system it shares their files.
    if (packages) await link(from, to).catch(() => copyFile(from, to));
    else await copyFile(from, to);
  }
}
