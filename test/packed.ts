/** The package as npm packs it, and its installation without a registry. */
import { execFile } from "node:child_process";
import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { copyFolder, keptFolder } from "./kit/copy.js";
import { REPO } from "./kit/host.js";

const run = promisify(execFile);

let packed: Promise<string> | undefined;

/** Packs the package, once for a file of tests, and gives the file; `dist` has been built before the tests. */
export function pack(): Promise<string> {
  packed ??= packInto(keptFolder());
  return packed;
}

async function packInto(folder: string): Promise<string> {
  await run("npm", ["pack", "--ignore-scripts", "--silent", "--pack-destination", folder], { cwd: REPO });
  const [name] = await readdir(folder);
  return join(folder, name ?? "");
}

/** Does what npm does where there is a registry: unpacks the package, and copies what it depends on from the repository. */
export async function installPacked(file: string, folder: string): Promise<void> {
  const modules = join(folder, "node_modules");
  await mkdir(join(modules, ".bin"), { recursive: true });
  await mkdir(join(modules, "bulkhead"));
  await run("tar", ["-xzf", file, "-C", join(modules, "bulkhead"), "--strip-components=1"]);
  const wanted = ["bulkhead"];
  const have = new Set<string>();
  for (let name = wanted.pop(); name !== undefined; name = wanted.pop()) {
    if (have.has(name)) continue;
    have.add(name);
    if (name !== "bulkhead") await copyFolder(join(REPO, "node_modules", name), join(modules, name)).catch(() => {});
    const text = await readFile(join(modules, name, "package.json"), "utf8").catch(() => "{}");
    const { dependencies, optionalDependencies } = JSON.parse(text) as Record<string, object | undefined>;
    wanted.push(...Object.keys({ ...dependencies, ...optionalDependencies }));
  }
  const { bin } = JSON.parse(await readFile(join(modules, "bulkhead/package.json"), "utf8")) as {
    bin: { bulkhead: string };
  };
  await run("ln", ["-s", join(modules, "bulkhead", bin.bulkhead), join(modules, ".bin/bulkhead")]);
}
