/** Makes each bundle once: what is bundled again from the same bytes is taken from memory. */
import { createHash } from "node:crypto";
import { lstat, readdir, readFile } from "node:fs/promises";
import { basename, join, relative } from "node:path";
import type { Bundle, BundleRequest } from "#dist/bundler/bundle.js";

/** A folder with more is bundled each time. */
const MOST_FILES = 200;
/** What a bare file's bundle can depend on besides the file. */
const SETTINGS = ["package.json", "tsconfig.json", "jsconfig.json"];

const known = new Map<string, Promise<Bundle>>();

/** Resolves with the bundle that `make` makes, or has made before from the same files. */
export async function remembered(request: BundleRequest, make: () => Promise<Bundle>): Promise<Bundle> {
  const key = await keyOf(request).catch(() => undefined);
  if (key === undefined) return make();
  const found = known.get(key);
  if (found) return found;
  const made = make();
  known.set(key, made);
  try {
    const bundle = await made;
    // Of other files than the key is: a library, or one that has changed meanwhile.
    if ((request.single && bundle.files.length !== 1) || (await keyOf(request).catch(() => undefined)) !== key)
      known.delete(key);
  } catch {
    known.delete(key);
  }
  return made;
}

/** Says what a bundle is made of; undefined where that is not known. */
async function keyOf({ plugin, root, entry, single }: BundleRequest): Promise<string | undefined> {
  const hash = createHash("sha256").update(JSON.stringify([plugin, relative(root, entry), single]));
  const files = single ? [basename(entry), ...SETTINGS] : await tree(root);
  if (files === undefined) return undefined;
  for (const file of files) {
    const content = await readFile(join(root, file)).catch(() => undefined);
    hash.update(JSON.stringify([file, content?.length ?? null]));
    if (content) hash.update(content);
  }
  return hash.digest("hex");
}

/** The files of a folder that holds nothing but files and folders. */
async function tree(root: string): Promise<readonly string[] | undefined> {
  const found: string[] = [];
  for (const name of (await readdir(root, { recursive: true })).sort()) {
    const stat = await lstat(join(root, name));
    if (stat.isDirectory()) continue;
    if (!stat.isFile() || found.length === MOST_FILES) return undefined;
    found.push(name);
  }
  return found;
}
