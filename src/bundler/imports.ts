/**
 * How the files of a plugin import each other, as esbuild resolved it. The same files wired otherwise are another program,
 * and links, or a package.json that is swapped meanwhile, wire them otherwise without a byte of them changed.
 */
import type { Metafile } from "esbuild";
import { sha256 } from "./digest.js";

/**
 * Hex sha256 over the sorted list of (file, what it says, the file meant), written as JSON; undefined for a plugin whose files
 * import none of each other. `isRuntime` tells the runtime's own files, which no plugin changes.
 */
export function importsDigest({ inputs }: Metafile, isRuntime: (path: string) => boolean): string | undefined {
  const list = Object.entries(inputs)
    .filter(([file]) => !isRuntime(file))
    .flatMap(([file, { imports }]) =>
      imports.filter(({ path }) => !isRuntime(path)).map(({ path, original }) => [file, original ?? "", path]),
    )
    .map((row) => JSON.stringify(row))
    .sort();
  return list.length === 0 ? undefined : sha256(`[${list.join(",")}]`);
}
