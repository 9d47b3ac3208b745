/**
 * Refuses missing modules, except where the author catches the error: esbuild then leaves the `import()` or `require()` unchanged.
 * The exception holds only inside the plugin's folder: otherwise a plugin would learn which files the machine lacks.
 */
import { dirname, join, resolve } from "node:path";
import type { OnResolveArgs, OnResolveResult, PluginBuild } from "esbuild";
import { type Confinement, isBelow, isMissingInside } from "./confined-file.js";

/** Marks our own call of `build.resolve`, which would otherwise come back here. */
const ASKED = Symbol("asked");

/** Adds the rule to a build. `isMapped`: whether a package.json's `browser` names a replacement. */
export function refuseMissing(
  build: PluginBuild,
  rules: Confinement,
  extensions: readonly string[],
  isMapped: (args: OnResolveArgs) => boolean,
): void {
  build.onResolve({ filter: /.*/, namespace: "file" }, async (args): Promise<OnResolveResult | undefined> => {
    const { path, importer, namespace, resolveDir, kind } = args;
    if (args.pluginData === ASKED || !["dynamic-import", "require-call", "require-resolve"].includes(kind))
      return undefined;
    if (!isMapped(args) && candidates(args, rules, extensions).every((one) => isMissingInside(one, rules)))
      return undefined;
    const { errors } = await build.resolve(path, {
      importer,
      namespace,
      resolveDir,
      kind,
      pluginData: ASKED,
    });
    return errors.length > 0 ? { errors } : undefined;
  });
}

/** Lists the files and folders of which at least one must exist for a path to resolve. */
function candidates(
  { path, importer, resolveDir }: OnResolveArgs,
  rules: Confinement,
  extensions: readonly string[],
): string[] {
  if (/^\.{0,2}\//.test(path) || path === "." || path === "..")
    return ["", ...extensions].map((extension) => resolve(resolveDir, path) + extension);
  // Not the name of a package: leave it to esbuild, which reports the error.
  if (!/^[\w@]/.test(path) || /(?:^|\/)\.\.?(?:\/|$)/.test(path)) return [resolve(rules.root)];
  const name = path.split("/", path.startsWith("@") ? 2 : 1).join("/");
  const places: string[] = [];
  for (let at = dirname(importer); at === rules.root || isBelow(at, rules.root); at = dirname(at))
    places.push(join(at, "node_modules", name));
  return places;
}
