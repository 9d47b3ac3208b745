/** The package with its dependencies, copied to where another user can read it. */
import { chmod, mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { copyFolder, keptFolder } from "./kit/copy.js";
import { REPO } from "./kit/host.js";

let copied: Promise<string> | undefined;

/** A folder with what is packed, built as it is, and everything it depends on; readable by everybody. Made once for a file of tests. */
export function copyPackage(): Promise<string> {
  copied ??= copyInto(keptFolder());
  return copied;
}

async function copyInto(folder: string): Promise<string> {
  await chmod(folder, 0o755);
  for (const part of ["package.json", "dist", "plugins", "examples"]) {
    await copyFolder(join(REPO, part), join(folder, part));
  }
  const modules = join(folder, "node_modules");
  await mkdir(modules);
  const wanted = [...(await dependencies(REPO))];
  const have = new Set<string>();
  for (let name = wanted.pop(); name !== undefined; name = wanted.pop()) {
    if (have.has(name)) continue;
    have.add(name);
    const from = join(REPO, "node_modules", name);
    // Optional ones of other systems are not installed.
    await copyFolder(from, join(modules, name)).catch(() => {});
    wanted.push(...(await dependencies(from)));
  }
  return folder;
}

async function dependencies(folder: string): Promise<readonly string[]> {
  const text = await readFile(join(folder, "package.json"), "utf8").catch(() => "{}");
  const all = JSON.parse(text) as Record<"dependencies" | "optionalDependencies", object | undefined>;
  return Object.keys({ ...all.dependencies, ...all.optionalDependencies });
}
