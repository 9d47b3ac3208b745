/** Node's pure modules for plugins: copies that ship with Bulkhead, and their replacements in a plugin's packages. */
import { existsSync, lstatSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { builtinModules } from "node:module";
import { basename, dirname, isAbsolute, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { OnResolveArgs, OnResolveResult, PluginBuild } from "esbuild";
import { NODE_NAMESPACE } from "../protocol/bundle-global.js";
import { type Confinement, isMissingInside } from "./confined-file.js";
import type { SourceLedger } from "./source-ledger.js";

/** Files of `dist/bundler/node-modules`, by the name a plugin imports, without `node:`. */
const KEPT: ReadonlyMap<string, string> = new Map([
  ...["assert", "buffer", "crypto", "events", "path", "process", "punycode", "querystring"].map(own),
  ...["stream", "string_decoder", "timers", "url", "util"].map(own),
  ["assert/strict", "assert"],
  ["path/posix", "path"],
  ["stream/promises", "stream-promises"],
  ["util/types", "util-types"],
]);

function own(name: string): [string, string] {
  return [name, name];
}

const folder: string = fileURLToPath(new URL("./node-modules", import.meta.url));

/** The names of Node's modules that a plugin may import, sorted, without `node:`. */
export const NODE_MODULES: readonly string[] = [...KEPT.keys()].sort();

/**
 * Serves the shipped copies to a build, and adds to `used` those that the plugin's own files import. Without `node:`, a package of
 * that name in the plugin's node_modules, or a replacement under `browser` of a package.json, takes precedence.
 */
export function serveNodeModules(
  build: PluginBuild,
  ledger: SourceLedger,
  rules: Confinement,
  used: Set<string>,
): void {
  const filter = new RegExp(`^(?:node:)?(?:${NODE_MODULES.join("|")})$`);
  build.onResolve({ filter, namespace: "file" }, (args): OnResolveResult | undefined => {
    const name = args.path.replace(/^node:/, "");
    if (args.kind === "entry-point" || isMapped(args, ledger, rules)) return undefined;
    if (name === args.path && isInstalled(args, name, rules)) return undefined;
    used.add(name);
    return { path: KEPT.get(name) ?? name, namespace: NODE_NAMESPACE, sideEffects: false };
  });
  build.onResolve({ filter: new RegExp(`^${NODE_NAMESPACE}:(?:buffer|process)$`), namespace: "file" }, ({ path }) => {
    const name = path.slice(NODE_NAMESPACE.length + 1);
    used.add(name);
    return { path: name, namespace: NODE_NAMESPACE, sideEffects: false };
  });
  build.onResolve({ filter: /.*/, namespace: NODE_NAMESPACE }, ({ path }) => ({
    path: KEPT.get(path.replace(/^node:/, "")) ?? path,
    namespace: NODE_NAMESPACE,
    sideEffects: false,
  }));
  build.onLoad({ filter: /.*/, namespace: NODE_NAMESPACE }, async ({ path }) => ({
    contents: await readFile(join(folder, `${path}.cjs`)),
    loader: "js",
  }));
}

/** Returns whether the importing package's package.json names a replacement under `browser`. */
export function isMapped({ importer, path }: OnResolveArgs, ledger: SourceLedger, rules: Confinement): boolean {
  return browserMaps(dirname(importer), ledger, rules)
    .slice(0, 1)
    .some((map) => Object.hasOwn(map, path));
}

/** Returns whether a package.json above a missing file leaves that file out with `false`. */
export function isLeftOut(path: string, ledger: SourceLedger, rules: Confinement): boolean {
  if (isAbsolute(path) && !isMissingInside(path, rules)) return false;
  const name = basename(path).replace(/^node:/, "");
  if (NODE_NAMES.has(name) || NODE_NAMES.has(basename(dirname(path)))) return true;
  return browserMaps(dirname(path), ledger, rules).some((map) =>
    Object.entries(map).some(([key, value]) => value === false && basename(key).startsWith(name)),
  );
}

/** Node's own modules: where a file of such a name is asked for, the module was left out, since none of them is a file. */
const NODE_NAMES: ReadonlySet<string> = new Set(builtinModules);

/** The `browser` maps of the package.json files from a folder up, nearest first; an empty map for a file without one. */
function browserMaps(folder: string, ledger: SourceLedger, { root }: Confinement): object[] {
  const maps: object[] = [];
  for (let at = folder; at.startsWith(root); at = dirname(at)) {
    const file = join(at, "package.json");
    if (!existsSync(file)) continue;
    try {
      const fields: unknown = JSON.parse(ledger.peek(file).toString());
      const browser: unknown =
        typeof fields === "object" && fields !== null ? Reflect.get(fields, "browser") : undefined;
      maps.push(typeof browser === "object" && browser !== null ? browser : {});
    } catch {
      // A malformed file is reported once the files are read.
      maps.push({});
    }
  }
  return maps;
}

function isInstalled({ importer }: OnResolveArgs, name: string, { root }: Confinement): boolean {
  const [first = name] = name.split("/");
  for (let at = dirname(importer); at.startsWith(root); at = dirname(at))
    if (lstatSync(join(at, "node_modules", first), { throwIfNoEntry: false })) return true;
  return false;
}
