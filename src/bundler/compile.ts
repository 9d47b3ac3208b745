/** Runs esbuild on one plugin, in a bundler process. */
import { lstatSync, realpathSync, type Stats, statSync } from "node:fs";
import { dirname, extname, join, relative } from "node:path";
import { type BuildOptions, build } from "esbuild";
import { isRuntimeSource, PLUGIN_GLOBAL } from "../protocol/bundle-global.js";
import { type Confinement, isBelow, nameIn, notAFile, unreadable } from "./confined-file.js";
import { refusalFrom, refuseDropped } from "./diagnostics.js";
import { importsDigest } from "./imports.js";
import { BUNDLER } from "./limits.js";
import type { ChildRequest, Success } from "./messages.js";
import { BundleRefusal } from "./refusal.js";
import { fitForSandbox, type MappedCode } from "./sandbox-syntax.js";
import { readPackages } from "./settings-files.js";
import { SourceLedger } from "./source-ledger.js";
import { EXTENSIONS, sourcesPlugin } from "./sources.js";
import { pathsEntry, readTsconfig, refuseMetadata, type TypeScriptSettings } from "./tsconfig.js";

/** Settings that work under SES. `tsconfigRaw` keeps esbuild from reading a tsconfig.json, whose `extends` may name any file. */
const SETTINGS = {
  write: false,
  bundle: true,
  format: "iife",
  globalName: PLUGIN_GLOBAL,
  // The only platform under which esbuild applies the `browser` map of a package.json.
  platform: "browser",
  // Builds for browsers need no Node API, and builds for workers no document.
  mainFields: ["browser", "module", "main"],
  conditions: ["worker", "browser"],
  resolveExtensions: [...EXTENSIONS],
  target: "es2022",
  minifyWhitespace: true,
  treeShaking: true,
  legalComments: "none",
  charset: "ascii",
  define: { "process.env.NODE_ENV": '"production"', global: "globalThis", self: "globalThis" },
  tsconfigRaw: {},
  sourcemap: "external",
  sourcesContent: false,
  metafile: true,
  logLevel: "silent",
} as const satisfies BuildOptions;

/** Bundles one plugin. Throws {@link BundleRefusal}. */
export async function compile(request: ChildRequest): Promise<Success> {
  const root = realFolder(request.root);
  const entry = join(root, relative(request.root, request.entry));
  const name = nameIn(root, entry);
  try {
    assertEntry(entry, name, root);
    assertPackages(entry, root);
  } catch (error) {
    throw refusalFrom(error, name);
  }
  const rules: Confinement = { root, only: request.single ? entry : undefined };
  const ledger = new SourceLedger(rules);
  const used = new Set<string>();
  try {
    const typescript = readTsconfig(ledger, rules);
    const { imports, ...built } = await run(entry, root, ledger, rules, used, typescript);
    readPackages(ledger, rules);
    refuseMetadata(built.code, typescript);
    const fit = fitForSandbox(built);
    assertSize(fit);
    const nodeModules = [...used].sort();
    return {
      ok: true,
      ...fit,
      files: ledger.list(),
      ...(imports === undefined ? {} : { imports }),
      ...(nodeModules.length === 0 ? {} : { nodeModules }),
    };
  } catch (error) {
    throw refusalFrom(error, name, (path) => pathsEntry(path, ledger, rules));
  }
}

/** Prefix, in esbuild's metafile, of a file that a package's `browser` leaves out. */
const LEFT_OUT = "(disabled):";

interface Built extends MappedCode {
  readonly imports: string | undefined;
}

async function run(
  entry: string,
  root: string,
  ledger: SourceLedger,
  rules: Confinement,
  used: Set<string>,
  { legacyDecorators }: TypeScriptSettings,
): Promise<Built> {
  const { outputFiles, warnings, metafile } = await build({
    ...SETTINGS,
    absWorkingDir: root,
    // Not written; the source map's paths are relative to it.
    outfile: join(root, "bundle.js"),
    entryPoints: [entry],
    plugins: [sourcesPlugin(ledger, rules, used)],
    ...(legacyDecorators ? { tsconfigRaw: { compilerOptions: { experimentalDecorators: true } } } : {}),
  });
  refuseDropped(warnings);
  const map = outputFiles.find((file) => file.path.endsWith(".map"));
  const code = outputFiles.find((file) => file !== map);
  if (!code || !map) throw new Error("esbuild gave no output");
  // Before it is decoded and parsed, which takes many times its size.
  if (code.contents.length > BUNDLER.outputBytes) throw tooLarge("code", code.contents.length, BUNDLER.outputBytes);
  // A plugin's file may have a name that looks like the runtime's; the ledger lists the plugin's files.
  const own = new Set(ledger.names());
  const imports = importsDigest(
    metafile,
    (path) => (isRuntimeSource(path) || path.startsWith(LEFT_OUT)) && !own.has(path),
  );
  return { code: code.text, sourceMap: map.text, imports };
}

function assertSize({ code, sourceMap }: MappedCode): void {
  if (code.length > BUNDLER.outputBytes) throw tooLarge("code", code.length, BUNDLER.outputBytes);
  const mapBytes = Buffer.byteLength(sourceMap);
  if (mapBytes > BUNDLER.mapBytes) throw tooLarge("source map", mapBytes, BUNDLER.mapBytes);
}

function tooLarge(what: string, bytes: number, most: number): BundleRefusal {
  return new BundleRefusal(
    "ERR_PLUGIN_SIZE",
    `the bundle's ${what} has ${bytes} bytes, and may have ${most}: load less`,
  );
}

function realFolder(root: string): string {
  try {
    return realpathSync(root);
  } catch (error) {
    throw unreadable(root, error);
  }
}

/** Checks the entry file, before esbuild resolves it by rules of its own. */
function assertEntry(entry: string, name: string, root: string): void {
  if (!isBelow(entry, root)) {
    throw new BundleRefusal(
      "ERR_PLUGIN_FILE",
      `the entry ${entry} lies outside the plugin's folder ${root}; name a file in it`,
    );
  }
  let stat: Stats;
  try {
    stat = lstatSync(entry);
  } catch (error) {
    throw unreadable(name, error);
  }
  if (stat.isSymbolicLink())
    throw new BundleRefusal("ERR_PLUGIN_FILE", `${name} is a symbolic link; put the file itself there`);
  if (!stat.isFile()) throw new BundleRefusal("ERR_PLUGIN_FILE", notAFile(name, stat));
  if (stat.size === 0) throw new BundleRefusal("ERR_PLUGIN_FILE", `${name} is empty; a plugin exports a function init`);
  if (!EXTENSIONS.includes(extname(entry)) || extname(entry) === ".json") {
    throw new BundleRefusal(
      "ERR_PLUGIN_FILE",
      `${name} is of a kind that cannot be loaded; a plugin is a .js, .mjs, .cjs, .ts or .mts file`,
    );
  }
}

/** Refuses a pipe or device as package.json: esbuild opens those above the entry itself, and would block on a pipe. */
function assertPackages(entry: string, root: string): void {
  for (let folder = dirname(entry); isBelow(folder, root) || folder === root; folder = dirname(folder)) {
    const path = join(folder, "package.json");
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat && !stat.isFile() && !stat.isDirectory())
      throw new BundleRefusal("ERR_PLUGIN_FILE", notAFile(nameIn(root, path), stat));
    if (folder === dirname(folder)) return;
  }
}
