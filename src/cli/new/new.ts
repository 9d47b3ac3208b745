/** `bulkhead new NAME`: writes the folder of a new plugin: driver, manifest, test, README. */
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join, relative, resolve } from "node:path";
import { nearest } from "../../common/nearest.js";
import { quote } from "../../common/quote.js";
import { DriverError } from "../../driverapi/errors.js";
import { PERMISSIONS, type PermissionName } from "../../permissions/catalogue.js";
import { PLUGIN_ID } from "../../policy/manifest/schema.js";
import type { Report } from "../output.js";
import { type NewFile, projectFiles } from "./project-files.js";

/** What `new` takes. */
export interface NewOptions {
  readonly typescript: boolean;
  /** Names of permissions, several in one text separated by commas. */
  readonly uses: readonly string[];
  /** The version of Bulkhead that runs. */
  readonly version: string;
}

/**
 * Writes the plugin's folder at `path`, whose last part is the plugin's id. Throws `ERR_USAGE` for an invalid name
 * or an unknown permission, and `ERR_PLUGIN_FILE` for a folder that is not empty or cannot be written.
 */
export async function newPlugin(path: string, { typescript, uses: asked, version }: NewOptions): Promise<Report> {
  const folder = resolve(path);
  const id = basename(folder);
  const problem = nameProblem(id);
  if (problem !== undefined) throw new DriverError("ERR_USAGE", `${quote(id)} is not a plugin's name: ${problem}`);
  const uses = permissionsOf(asked);
  const bulkhead = isInstalledFor(folder) ? undefined : version;
  const files = projectFiles({ id, typescript, uses, bulkhead });
  await writeAll(folder, files);

  const shown = relative(".", folder) || ".";
  const install = bulkhead !== undefined || typescript;
  const next = [
    `cd ${shellWord(shown)}`,
    ...(install ? ["npm install"] : []),
    "npx bulkhead check .",
    "npx bulkhead test .",
    "npx bulkhead dev .",
  ];
  const width = Math.max(...files.map((file) => file.path.length));
  const lines = [
    `${id} is written to ${shown}:`,
    ...files.map((file) => `  ${file.path.padEnd(width)}  ${file.holds}`),
    "",
    "next:",
    ...next.map((line) => `  ${line}`),
  ];
  const data = {
    plugin: id,
    folder,
    language: typescript ? "typescript" : "javascript",
    permissions: [...uses],
    files: files.map((file) => file.path),
    next,
  };
  return { data, text: lines.join("\n") };
}

/** Returns which rule of a plugin's id the name breaks; undefined if it is one. */
function nameProblem(name: string): string | undefined {
  if (PLUGIN_ID.test(name)) return undefined;
  if (!/^[a-z]/.test(name)) return "it must begin with a lowercase letter, a to z";
  const odd = /[^a-z0-9-]/u.exec(name)?.[0];
  if (odd !== undefined) return `it may hold only a to z, 0 to 9 and "-", and has ${quote(odd)}`;
  return `it has ${name.length} characters, and may have 32`;
}

/** Returns the permissions, in the catalogue's order, with those that they need. Throws `ERR_USAGE`. */
function permissionsOf(asked: readonly string[]): ReadonlySet<PermissionName> {
  const all = Object.keys(PERMISSIONS) as PermissionName[];
  const wanted = new Set<string>(["log"]);
  for (const name of asked.flatMap((text) => text.split(",")).map((text) => text.trim())) {
    if (!(all as readonly string[]).includes(name)) {
      const near = nearest(name, all);
      const hint = near === undefined ? "" : `did you mean ${quote(near)}? `;
      throw new DriverError("ERR_USAGE", `--with ${quote(name)}: ${hint}the permissions are ${all.join(", ")}`);
    }
    wanted.add(name);
  }
  // Rules, name servers and shapes are for links, and the store keeps their names.
  if (["firewall", "resolver", "traffic"].some((name) => wanted.has(name))) wanted.add("netlink");
  if (wanted.has("netlink")) wanted.add("store");
  return new Set(all.filter((name) => wanted.has(name)));
}

/** Returns true if a file in the folder, which need not exist, can import Bulkhead. */
function isInstalledFor(folder: string): boolean {
  try {
    createRequire(join(folder, "index.js")).resolve("bulkhead/package.json");
    return true;
  } catch {
    return false;
  }
}

/** Writes the files, or none. */
async function writeAll(folder: string, files: readonly NewFile[]): Promise<void> {
  const made: string[] = [];
  try {
    const first = await mkdir(folder, { recursive: true });
    if (first !== undefined) made.push(first);
    const there = await readdir(folder);
    if (there.length > 0) {
      const rule = `${folder} is there already, and is not empty; choose another name, or empty it`;
      throw new DriverError("ERR_PLUGIN_FILE", rule, { file: folder });
    }
    for (const { path, text } of files) {
      const file = join(folder, path);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, text, { flag: "wx" }).catch((error: NodeJS.ErrnoException) => {
        // One that is there already is somebody else's.
        if (error.code !== "EEXIST") made.push(file);
        throw error;
      });
      made.push(file);
    }
  } catch (error) {
    if (error instanceof DriverError) throw error;
    for (const path of made) await rm(path, { recursive: true, force: true });
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    const rule =
      code === "EEXIST" || code === "ENOTDIR"
        ? `${folder}: a file is in the way; choose another name`
        : `${folder} cannot be written (${code})`;
    throw new DriverError("ERR_PLUGIN_FILE", rule, { file: folder, cause: error });
  }
}

/** Quotes a path for a shell, if it needs that. */
function shellWord(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
