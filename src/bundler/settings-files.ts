/**
 * The files of a plugin that are not code but would steer how its code is found: package.json and tsconfig.json.
 * A package.json is hashed with the bundle, since the same files wired otherwise are another program. A tsconfig.json
 * is
 * ignored; one that reaches outside is refused all the same, so that nobody believes that it counts.
 */
import { lstatSync } from "node:fs";
import { join, posix } from "node:path";
import { parseExpressionAt } from "acorn";
import type { Confinement } from "./confined-file.js";
import { BundleRefusal } from "./refusal.js";
import type { SourceLedger } from "./sources.js";

/**
 * Reads the package.json files above the bundled ones into the ledger. Throws `ERR_PLUGIN_IMPORT` for one that leads
 * outside.
 */
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

/**
 * Throws `ERR_PLUGIN_IMPORT` for a tsconfig.json or jsconfig.json among the author's files that extends one outside.
 */
export function checkTsconfigs(ledger: SourceLedger, rules: Confinement): void {
  if (rules.only !== undefined) return;
  const own = ledger.names().filter((name) => !name.split("/").includes("node_modules"));
  for (const folder of foldersOf(own, rules)) {
    for (const name of ["tsconfig.json", "jsconfig.json"].map((file) => posix.join(folder, file))) {
      if (!exists(join(rules.root, name))) continue;
      const text = ledger.peek(join(rules.root, name)).toString();
      const target = extendsOf(text).find((path) => isOutside(path, folder));
      if (target === undefined) continue;
      throw new BundleRefusal(
        "ERR_PLUGIN_IMPORT",
        `${name} extends "${target}", outside the plugin's folder; ` +
          'plugins are bundled without a tsconfig: remove "extends"',
        { file: name, line: lineOf(text, target) },
      );
    }
  }
}

/**
 * Every folder from the named files up to the plugin's own (or up to node_modules, for a bare file), without repeats.
 */
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

/** The file targets in a package.json, with the field each stands in. Names of other packages are no targets. */
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

/** What a tsconfig extends. The format is JSON with comments: an expression to a JavaScript parser. */
function extendsOf(text: string): string[] {
  try {
    const value = parseExpressionAt(text, 0, { ecmaVersion: "latest" });
    if (value.type !== "ObjectExpression") return [];
    return value.properties.flatMap((property) => {
      if (property.type !== "Property" || property.key.type !== "Literal" || property.key.value !== "extends")
        return [];
      const given = property.value.type === "ArrayExpression" ? property.value.elements : [property.value];
      return given.flatMap((item) => (item?.type === "Literal" && typeof item.value === "string" ? [item.value] : []));
    });
  } catch {
    return [];
  }
}

/** True for a path, not a package's name, that leaves the plugin's folder when taken from one of its folders. */
function isOutside(target: string, folder: string): boolean {
  const path = target.replaceAll("\\", "/");
  if (path.startsWith("/") || /^[a-z]:/i.test(path)) return true;
  return posix.join(folder, path).split("/")[0] === "..";
}

function lineOf(text: string, target: string): number | undefined {
  const at = text.indexOf(target);
  return at < 0 ? undefined : text.slice(0, at).split("\n").length;
}

function exists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}
