/**
 * Reads a file of a plugin, safe against TOCTOU races: opens it without following a link, asks the *open descriptor* for its
 * path, reads from it, and checks again afterwards.
 */
import { isUtf8 } from "node:buffer";
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readlinkSync,
  readSync,
  realpathSync,
  type Stats,
} from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { BUNDLER } from "./limits.js";
import { BundleRefusal } from "./refusal.js";

/** What a plugin may load. All paths are real paths. */
export interface Confinement {
  /** The plugin's folder. */
  readonly root: string;
  /** For a plugin that is one file: the only file outside `root/node_modules` that may be loaded. */
  readonly only?: string | undefined;
}

/** The rule for a plugin that is one file, as text about another file. */
export const ALONE: string =
  "is another file, and a plugin that is a bare file may load only itself, node_modules and " +
  '"bulkhead/plugin"; to use several files, put them into a folder with a plugin.json';

/** An open file that was inside when it was opened. {@link readConfined} closes it. */
export interface ConfinedFile {
  readonly fd: number;
  /** The path it was opened by. */
  readonly path: string;
  readonly stat: Stats;
}

/** Returns a file's name for messages and digests: relative to the plugin's folder, with `/`. */
export function nameIn(root: string, path: string): string {
  return relative(root, path).split(sep).join("/");
}

/** Throws `ERR_PLUGIN_IMPORT` unless the plugin may load from a real path. */
function assertInside(real: string, name: string, { root, only }: Confinement): void {
  if (!isBelow(real, root)) {
    throw new BundleRefusal(
      "ERR_PLUGIN_IMPORT",
      `${name} is ${real}, outside the plugin's folder; a plugin may load only files of its own folder: copy it there`,
    );
  }
  if (only !== undefined && real !== only && !isBelow(real, join(root, "node_modules"))) {
    throw new BundleRefusal("ERR_PLUGIN_IMPORT", `${name} ${ALONE}`);
  }
}

/**
 * Opens a regular file inside. Throws {@link BundleRefusal}: `ERR_PLUGIN_FILE`, `ERR_PLUGIN_IMPORT`, `ERR_PLUGIN_SIZE`.
 */
export function openConfined(path: string, rules: Confinement): ConfinedFile {
  const name = nameIn(rules.root, path);
  let fd: number;
  try {
    // Non-blocking: opening a named pipe would block forever.
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    throw unreadable(name, error);
  }
  try {
    const stat = fstatSync(fd);
    assertInside(realPathOf(fd, path, name, stat), name, rules);
    if (!stat.isFile()) throw new BundleRefusal("ERR_PLUGIN_FILE", notAFile(name, stat));
    if (stat.size > BUNDLER.fileBytes) {
      throw new BundleRefusal(
        "ERR_PLUGIN_SIZE",
        `${name} has ${stat.size} bytes, and a file of a plugin may have at most ${BUNDLER.fileBytes}: ` +
          "split it, or load less",
      );
    }
    return { fd, path, stat };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** Reads and closes an open file. Throws `ERR_PLUGIN_FILE` if it has changed since it was opened, or is binary. */
export function readConfined(file: ConfinedFile, rules: Confinement): Buffer {
  const { fd, path, stat } = file;
  const name = nameIn(rules.root, path);
  try {
    // One byte more than its size, to detect that it grew.
    const buffer = Buffer.alloc(stat.size + 1);
    let length = 0;
    for (let got = -1; got !== 0 && length < buffer.length; length += got)
      got = readSync(fd, buffer, length, buffer.length - length, null);
    const after = fstatSync(fd);
    const unchanged = length === stat.size && after.mtimeMs === stat.mtimeMs && isStill(path, stat);
    if (!unchanged) {
      throw new BundleRefusal(
        "ERR_PLUGIN_FILE",
        `${name} changed while it was read; it is loaded again once it is left alone`,
      );
    }
    const bytes = buffer.subarray(0, length);
    if (bytes.includes(0) || !isUtf8(bytes)) {
      throw new BundleRefusal("ERR_PLUGIN_FILE", `${name} is binary; a plugin is made of text files in UTF-8`);
    }
    return bytes;
  } finally {
    closeSync(fd);
  }
}

/** Returns the message for something that is not a regular file. */
export function notAFile(name: string, stat: Stats): string {
  const what = stat.isDirectory()
    ? "a folder"
    : stat.isFIFO()
      ? "a named pipe"
      : stat.isSocket()
        ? "a socket"
        : "a device";
  return `${name} is ${what}, not a regular file; put the code itself there`;
}

/** Creates the error for a file that cannot be opened. */
export function unreadable(name: string, error: unknown): BundleRefusal {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === "ELOOP") {
    return new BundleRefusal("ERR_PLUGIN_FILE", `${name} is a symbolic link; put the file itself there`);
  }
  if (code === "ENOENT" || code === "ENOTDIR") {
    return new BundleRefusal("ERR_PLUGIN_FILE", `${name} is missing; create it, or correct the name`);
  }
  return new BundleRefusal(
    "ERR_PLUGIN_FILE",
    `${name} cannot be read (${code ?? String(error)}); make it readable to this user`,
  );
}

/** True for a path strictly below a folder. */
export function isBelow(path: string, folder: string): boolean {
  return path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

/**
 * Returns whether a path in the folder is missing and leads through no link. False for paths outside, so that a plugin learns nothing
 * about the machine's files.
 */
export function isMissingInside(path: string, { root, only }: Confinement): boolean {
  const found = (at: string): boolean => lstatSync(at, { throwIfNoEntry: false }) !== undefined;
  if (!isBelow(path, only === undefined ? root : join(root, "node_modules")) || found(path)) return false;
  let at = dirname(path);
  while (isBelow(at, root) && !found(at)) at = dirname(at);
  return realpathSync(at) === at;
}

/** Returns the path of an open descriptor. Without /proc, the path must still lead to the same file. */
function realPathOf(fd: number, path: string, name: string, stat: Stats): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    const real = realpathSync(path);
    if (isStill(real, stat)) return real;
    throw new BundleRefusal(
      "ERR_PLUGIN_FILE",
      `${name} was swapped while it was opened; it is loaded again once it is left alone`,
    );
  }
}

/** Returns whether a path, not being a link, still leads to the file that was opened. */
function isStill(path: string, stat: Stats): boolean {
  const now = lstatSync(path, { throwIfNoEntry: false });
  return now !== undefined && now.dev === stat.dev && now.ino === stat.ino;
}
