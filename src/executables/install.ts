/** Writes and removes the executables of a platform, one for each network type. Replaces and removes only files that it wrote. Touches `fs`. */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { messageOf } from "../common/text.js";
import { DriverError } from "../driverapi/errors.js";
import type { Installed } from "./ask.js";

export interface InstallOptions {
  /** As in `PLATFORMS`: names the bundle, and is part of each file's mark. */
  readonly platform: string;
  /** The folder in which the platform looks for its plugins. */
  readonly folder: string;
  /** Precedes the network type in a file's name. */
  readonly prefix: string;
  /** The daemon's control socket, an absolute path. */
  readonly socket: string;
  /** The Node that runs them, an absolute path. */
  readonly node: string;
  /** Makes the folder: the platform looks there, and its package does not bring it. */
  readonly makeFolder: boolean;
}

/** Longest first line of an executable that every kernel reads whole, in bytes. */
const SHEBANG_BYTES = 127;

/** Writes an executable for each type and removes those of other types. Returns their paths. Throws `ERR_EXECUTABLE`. */
export function installExecutables(options: InstallOptions, types: readonly string[]): readonly string[] {
  const { platform, folder, prefix, socket, node, makeFolder } = options;
  const shebang = `#!${node}`;
  if (/\s/.test(node) || Buffer.byteLength(shebang) > SHEBANG_BYTES)
    throw refused(
      node,
      `an executable cannot name this Node: its path has a space, or more than ${SHEBANG_BYTES - 2} bytes; run bulkhead with a Node at another path`,
    );
  const code = readFileSync(new URL(`./${platform}.cjs`, import.meta.url), "utf8");
  if (makeFolder) mkdirSync(folder, { recursive: true, mode: 0o755 });
  refuseNoFolder(folder);
  const paths = types.map((type) => join(folder, `${prefix}${type}`));
  for (const path of paths)
    if (isThere(path) && !isOurs(path, platform))
      throw refused(path, "another program's file is in its place; remove it, or choose another --dir");
  for (const [at, path] of paths.entries()) {
    const installed: Installed = { socket, driver: types[at] ?? "" };
    const text = `${shebang}\n${markOf(platform)}\nconst BULKHEAD = ${JSON.stringify(installed)};\n${code}`;
    replace(path, text);
  }
  for (const path of ourFiles(folder, platform)) if (!paths.includes(path)) rmSync(path, { force: true });
  return paths;
}

/** Removes the executables of a platform from a folder. Returns their paths. Throws `ERR_EXECUTABLE`. */
export function uninstallExecutables({
  folder,
  platform,
}: Pick<InstallOptions, "folder" | "platform">): readonly string[] {
  refuseNoFolder(folder);
  const paths = ourFiles(folder, platform);
  for (const path of paths) rmSync(path, { force: true });
  return paths;
}

function ourFiles(folder: string, platform: string): readonly string[] {
  return readdirSync(folder)
    .map((name) => join(folder, name))
    .filter((path) => isOurs(path, platform));
}

/** The second line of each file. */
function markOf(platform: string): string {
  return `// Written by "bulkhead ${platform} install", and removed by "bulkhead ${platform} uninstall".`;
}

function isOurs(path: string, platform: string): boolean {
  try {
    return statSync(path).isFile() && readFileSync(path, "utf8").split("\n", 2)[1] === markOf(platform);
  } catch {
    return false;
  }
}

function isThere(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** Writes a file whole: a runtime may start it at any moment. */
function replace(path: string, text: string): void {
  const part = `${path}.part`;
  try {
    rmSync(part, { force: true });
    writeFileSync(part, text, { mode: 0o755, flag: "wx" });
    renameSync(part, path);
  } catch (error) {
    throw refused(path, messageOf(error));
  }
}

function refuseNoFolder(folder: string): void {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
    throw refused(folder, "the folder does not exist; name the one in which the platform looks for plugins with --dir");
}

function refused(path: string, why: string): DriverError {
  return new DriverError("ERR_EXECUTABLE", `${path}: ${why}`);
}
