/** A copy of one plugin in a plugins folder of its own, so that it can be run without its neighbours. */
import { copyFile, lstat, mkdir, readdir, readlink, symlink } from "node:fs/promises";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { DriverError } from "../driverapi/errors.js";

/** The most a plugin with its node_modules may hold to be copied. */
const MAX_BYTES = 512 << 20;
const MAX_FILES = 50_000;

/**
 * Copies the file or folder at `path` into the folder `into`: of a file also the manifest and the node_modules beside it.
 * Links stay links; what is no file, folder or link is left out. Throws `ERR_PLUGIN_FILE` and `ERR_PLUGIN_SIZE`.
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
    const rule = `more than ${MAX_FILES} files or ${MAX_BYTES} bytes; check it without what it does not need`;
    throw new DriverError("ERR_PLUGIN_SIZE", `${root}: ${rule}`, { file: root });
  }
  if (found.isSymbolicLink()) {
    const target = resolve(dirname(from), await readlink(from));
    const way = relative(root, target);
    const inside = way !== ".." && !way.startsWith(`..${sep}`);
    // Within the plugin a link leads to the copy; one that leads out still does, and is refused as it would be.
    await symlink(inside ? relative(dirname(from), target) : target, to);
  } else if (found.isDirectory()) {
    await mkdir(to);
    for (const name of await readdir(from)) await copyEntry(join(from, name), join(to, name), root, budget);
  } else if (found.isFile()) {
    await copyFile(from, to);
  }
}
