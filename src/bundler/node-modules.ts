/** Node's pure modules for plugins: kept copies, bundled where a plugin imports one, and what may stand in for them. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { OnResolveArgs, OnResolveResult, PluginBuild } from "esbuild";
import type { Confinement } from "./confined-file.js";
import type { SourceLedger } from "./sources.js";

/** The kept copies, seen by esbuild in a namespace that no path of a plugin can name. */
export const NODE_NAMESPACE = "node-module";

/** Files of `dist/bundler/node-modules`, by the name a plugin imports, without `node:`. */
const KEPT: ReadonlyMap<string, string> = new Map([
  ...["assert", "buffer", "crypto", "events", "path", "process", "punycode", "querystring"].map(own),
  ...["stream", "string_decoder", "url", "util"].map(own),
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
 * Serves the kept copies to a build, and notes in `used` which ones the plugin's own files import. Under a name without `node:`, a
 * package of that name in the plugin's node_modules comes first, and so does what a package.json's `browser` says of it.
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

/** Whether the importing package's own package.json says under `browser` what to take instead. */
function isMapped({ importer, path }: OnResolveArgs, ledger: SourceLedger, { root }: Confinement): boolean {
  for (let at = dirname(importer); at.startsWith(root); at = dirname(at)) {
    const file = join(at, "package.json");
    if (!existsSync(file)) continue;
    try {
      const fields: unknown = JSON.parse(ledger.peek(file).toString());
      const browser: unknown =
        typeof fields === "object" && fields !== null ? Reflect.get(fields, "browser") : undefined;
      return typeof browser === "object" && browser !== null && Object.hasOwn(browser, path);
    } catch {
      // What is wrong with it is told once the files are read.
      return false;
    }
  }
  return false;
}

function isInstalled({ importer }: OnResolveArgs, name: string, { root }: Confinement): boolean {
  const [first = name] = name.split("/");
  for (let at = dirname(importer); at.startsWith(root); at = dirname(at))
    if (existsSync(join(at, "node_modules", first))) return true;
  return false;
}
