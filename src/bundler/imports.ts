/**
 * Hashes how the files of a plugin import each other, as esbuild resolved it: links, or a replaced package.json, can turn the same
 * files into another program.
 */
import type { Metafile } from "esbuild";
import { sha256 } from "./digest.js";

/**
 * Returns the hex sha256 of the sorted list of (file, import path, resolved file), as JSON; undefined if no file imports another.
 * `isRuntime` recognizes the runtime's own files, which are left out.
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
