/** Copies one plugin to a plugins folder of its own, so that it runs without its neighbours. */
import { copyFile, lstat, mkdir, mkdtemp, readdir, readlink, realpath, rm, symlink } from "node:fs/promises";
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

/** Returns the same error with the author's paths instead of the copy's. */
function atHome(error: DriverError, folder: string, source: string): DriverError {
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

/**
 * Copies the file or folder at `path` into the folder `into`; for a file, also the manifest and the node_modules beside it.
 * Copies links as links, and leaves out special files. Throws `ERR_PLUGIN_FILE` and `ERR_PLUGIN_SIZE`.
 */
export async function copyPlugin(path: string, into: string): Promise<void> {
  const budget = { bytes: MAX_BYTES, files: MAX_FILES };
  const found = await lstat(path).catch((error: unknown) => {
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    const why =
      code === "ENOENT" || code === "ENOTDIR" ? "there is no such file or folder" : `it cannot be read (${code})`;
    throw new DriverError("ERR_PLUGIN_FILE", `${path}: ${why}; name a plugin's file or folder`, { file: path });
  });
  const name = basename(path);
  await copyEntry(path, join(into, name), dirname(path), budget);
  if (found.isDirectory()) return;
  for (const beside of [`${name.replace(/\.[^.]*$/, "")}.plugin.json`, "node_modules"]) {
    const from = join(dirname(path), beside);
    const there = await lstat(from).catch(() => undefined);
    if (there) await copyEntry(from, join(into, beside), dirname(path), budget);
  }
}

async function copyEntry(
  from: string,
  to: string,
  root: string,
  budget: { bytes: number; files: number },
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
    for (const name of await readdir(from)) await copyEntry(join(from, name), join(to, name), root, budget);
  } else if (found.isFile()) {
    await copyFile(from, to);
  }
}
