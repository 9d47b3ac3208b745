/** The package.json files of a plugin: they are hashed with the bundle, since they decide which files are bundled. */
import { lstatSync } from "node:fs";
import { join, posix } from "node:path";
import type { Confinement } from "./confined-file.js";
import { BundleRefusal } from "./refusal.js";
import type { SourceLedger } from "./source-ledger.js";

/** Reads the package.json files above the bundled ones into the ledger. Throws `ERR_PLUGIN_IMPORT` for an entry that leads outside. */
export function readPackages(ledger: SourceLedger, rules: Confinement): void {
  for (const folder of foldersOf(ledger.names(), rules)) {
    const name = posix.join(folder, "package.json");
    if (!exists(join(rules.root, name))) continue;
    const text = ledger.read(join(rules.root, name)).toString();
    for (const [field, target] of targetsOf(text)) {
      if (!isOutside(target, folder)) continue;
      throw new BundleRefusal(
        "ERR_PLUGIN_IMPORT",
        `"${field}" of ${name} leads to "${target}", outside the plugin's folder; remove that entry`,
        { file: name, line: lineOf(text, target) },
      );
    }
  }
}

/** Returns the folders from the named files up to the plugin's own; for a plugin that is one file, up to node_modules. */
function foldersOf(names: readonly string[], { only }: Confinement): Set<string> {
  const folders = new Set<string>();
  for (const name of names) {
    for (let folder = posix.dirname(name); !folders.has(folder); folder = posix.dirname(folder)) {
      if (only !== undefined && folder === ".") break;
      folders.add(folder);
    }
  }
  return folders;
}

/** Lists the file targets in a package.json, each with its field; names of other packages are not file targets. */
function targetsOf(text: string): Array<[field: string, target: string]> {
  let fields: unknown;
  try {
    fields = JSON.parse(text);
  } catch {
    return [];
  }
  if (typeof fields !== "object" || fields === null) return [];
  const found: Array<[string, string]> = [];
  const waiting: Array<[string, unknown]> = ["main", "module", "browser", "exports", "imports"]
    .filter((field) => Object.hasOwn(fields, field))
    .map((field) => [field, Reflect.get(fields, field)]);
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const [field, value] = next;
    if (typeof value === "string") found.push([field, value]);
    else if (typeof value === "object" && value !== null)
      for (const inner of Object.values(value)) waiting.push([field, inner]);
  }
  return found;
}

/** Returns whether a path leaves the plugin's folder when resolved from one of its folders. */
function isOutside(target: string, folder: string): boolean {
  const path = target.replaceAll("\\", "/");
  if (path.startsWith("/") || /^[a-z]:/i.test(path)) return true;
  return posix.join(folder, path).split("/")[0] === "..";
}

/** Returns the line, from 1, on which `target` first occurs. */
export function lineOf(text: string, target: string): number | undefined {
  const at = text.indexOf(target);
  return at < 0 ? undefined : text.slice(0, at).split("\n").length;
}

function exists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}
