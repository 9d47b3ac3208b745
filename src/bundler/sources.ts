/**
 * The esbuild plugin that reads every file of a bundle. esbuild finds the files; this plugin decides on the opened file whether it
 * is allowed, and bundles exactly the bytes that it hashed.
 */
import { readFile } from "node:fs/promises";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Loader, OnLoadResult, OnResolveArgs, OnResolveResult, Plugin, PluginBuild } from "esbuild";
import { RUNTIME_NAMESPACE } from "../protocol/bundle-global.js";
import { ALONE, type Confinement, isBelow, nameIn } from "./confined-file.js";
import { refuseMissing } from "./missing-modules.js";
import { isLeftOut, isMapped, serveNodeModules } from "./node-modules.js";
import { packageGlobals } from "./package-globals.js";
import { BundleRefusal } from "./refusal.js";
import type { SourceLedger } from "./source-ledger.js";

/** The modules of the runtime that a plugin may import, and their files. */
const RUNTIME_MODULES: ReadonlyMap<string, string> = new Map([
  ["bulkhead/plugin", "plugin.js"],
  ["bulkhead/plugin/addressing", "plugin-addressing.js"],
]);

const runtimeFolder: string = dirname(dirname(fileURLToPath(import.meta.url)));

const LOADERS: Readonly<Record<string, Loader>> = {
  ".js": "js",
  ".mjs": "js",
  ".cjs": "js",
  ".ts": "ts",
  ".mts": "ts",
  ".json": "json",
};

/** File extensions of a plugin's files, in the order in which an import without extension tries them. */
export const EXTENSIONS: readonly string[] = Object.keys(LOADERS);

/** esbuild follows the last such comment of a file to any path; the one appended here leads nowhere. */
const MAP_COMMENT = "sourceMappingURL";
const NO_MAP = `\n//# ${MAP_COMMENT}=data:application/json,{"version":3,"sources":[],"mappings":""}`;

const [HASH, BANG, SLASH] = [0x23, 0x21, 0x2f] as const;

/** Creates the esbuild plugin. `ledger` reads and records files; `used` receives the names of imported Node modules. */
export function sourcesPlugin(ledger: SourceLedger, rules: Confinement, used: Set<string>): Plugin {
  return {
    name: "sources",
    setup(build) {
      serveRuntime(build);
      serveNodeModules(build, ledger, rules, used);
      build.onResolve({ filter: /^([a-zA-Z][a-zA-Z0-9+.-]*:|\/\/)/, namespace: "file" }, refuseUrl);
      build.onResolve({ filter: /^#/, namespace: "file" }, (args) => refuseHash(args, rules));
      build.onResolve({ filter: /^\.\.?\//, namespace: "file" }, (args) => refuseSibling(args, rules));
      refuseMissing(build, rules, EXTENSIONS, (args) => isMapped(args, ledger, rules));
      build.onLoad({ filter: /.*/ }, ({ path }) => load(path, ledger, rules));
    },
  };
}

function serveRuntime(build: PluginBuild): void {
  build.onResolve({ filter: /^bulkhead(?:\/|$)/, namespace: "file" }, (args) => {
    const path = RUNTIME_MODULES.get(args.path);
    if (path !== undefined) return { path, namespace: RUNTIME_NAMESPACE, sideEffects: false };
    return refuse(
      `"${args.path}" is not for plugins: import ${[...RUNTIME_MODULES.keys()].map((name) => `"${name}"`).join(" or ")}`,
    );
  });
  build.onResolve({ filter: /.*/, namespace: RUNTIME_NAMESPACE }, (args) => ({
    path: join(dirname(args.importer), args.path),
    namespace: RUNTIME_NAMESPACE,
    sideEffects: false,
  }));
  build.onLoad({ filter: /.*/, namespace: RUNTIME_NAMESPACE }, async ({ path }) => ({
    contents: await readFile(join(runtimeFolder, path)),
    loader: "js",
  }));
}

function refuseUrl({ kind, path }: OnResolveArgs): OnResolveResult | undefined {
  if (kind === "entry-point" || path.startsWith("node:")) return undefined;
  return refuse(`"${path}" is a URL, and a plugin loads files only: copy it into the plugin's folder`);
}

/** Refuses `imports` of the folder's package.json for a plugin that is one file. */
function refuseHash(args: OnResolveArgs, { root, only }: Confinement): OnResolveResult | undefined {
  if (only === undefined || isBelow(args.importer, join(root, "node_modules"))) return undefined;
  return refuse(`"${args.path}" needs a package.json of the plugin's own: put the plugin into a folder`);
}

/** Refuses files beside a plugin that is one file, whether they exist or not. */
function refuseSibling(
  { importer, path, resolveDir }: OnResolveArgs,
  { only }: Confinement,
): OnResolveResult | undefined {
  if (only === undefined || importer !== only) return undefined;
  if (join(resolveDir, path) === only || path.startsWith("./node_modules/")) return undefined;
  return refuse(`"${path}" ${ALONE}`);
}

function refuse(message: string): OnResolveResult {
  return failed(new BundleRefusal("ERR_PLUGIN_IMPORT", message));
}

function failed(refusal: BundleRefusal): { errors: [{ text: string; detail: BundleRefusal }] } {
  return { errors: [{ text: refusal.message, detail: refusal }] };
}

function load(path: string, ledger: SourceLedger, rules: Confinement): OnLoadResult {
  try {
    // esbuild loads a missing file only if a `browser` map leaves it out.
    if (isLeftOut(path, ledger, rules)) return { contents: "", loader: "js" };
    const loader = LOADERS[extname(path)];
    const bytes = ledger.read(path);
    if (!loader) {
      const name = nameIn(rules.root, path);
      throw new BundleRefusal(
        "ERR_PLUGIN_FILE",
        `${name} is of a kind that cannot be loaded; a plugin is made of ${EXTENSIONS.join(", ")} files`,
      );
    }
    if (loader === "json") return { contents: bytes, loader };
    // In the sandbox the code is inside a function, where a hashbang is not valid.
    if (bytes[0] === HASH && bytes[1] === BANG) bytes.fill(SLASH, 0, 2);
    const head = loader === "js" && path.includes("/node_modules/") ? packageGlobals(bytes.toString()) : "";
    const tail = bytes.includes(MAP_COMMENT) ? NO_MAP : "";
    return { contents: Buffer.concat([Buffer.from(head), bytes, Buffer.from(tail)]), loader };
  } catch (error) {
    if (error instanceof BundleRefusal) return failed(error);
    throw error;
  }
}
