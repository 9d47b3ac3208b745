/** `npx tsc --noEmit` in a plugin's folder checks that plugin: in the repository, and where the example was copied to. */
import { execFile } from "node:child_process";
import { cp, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { assert, suite, type TestContext } from "../harness.js";
import { REPO } from "../kit/host.js";

const test = suite("examples: types");
const run = promisify(execFile);

const GREET = `import type { Driver, DriverCallback } from "bulkhead/plugin";
export async function init(callback: DriverCallback): Promise<void> {
  await callback.registerDriver("greet", {} as Driver, { scope: "local" });
  console.log("registered");
}
`;

/** What tsc says of the plugin in a folder; undefined: nothing. */
async function complaints(folder: string): Promise<string | undefined> {
  const tsc = join(REPO, "node_modules/.bin/tsc");
  return run(tsc, ["--noEmit"], { cwd: folder }).then(
    () => undefined,
    ({ stdout }: { readonly stdout: string }) => stdout,
  );
}

/** A place with plugins, which a kind of user has: `root/plugins`, and Bulkhead where that user has it. */
const PLACES: Readonly<Record<string, (root: string) => Promise<void>>> = {
  "a clone": async (root) => {
    for (const name of ["dist", "src", "node_modules"]) await symlink(join(REPO, name), join(root, name));
    for (const name of ["package.json", "tsconfig.json"]) await cp(join(REPO, name), join(root, name));
  },
  "a project": async (root) => {
    await mkdir(join(root, "node_modules"));
    await symlink(REPO, join(root, "node_modules/bulkhead"));
    await symlink(join(REPO, "node_modules/ipaddr.js"), join(root, "node_modules/ipaddr.js"));
    await writeFile(join(root, "package.json"), '{ "private": true, "type": "module" }');
  },
};

async function place(t: TestContext, make: (root: string) => Promise<void>): Promise<string> {
  const root = await t.folder();
  await make(root);
  await mkdir(join(root, "plugins/greet"), { recursive: true });
  await cp(join(REPO, "plugins/tsconfig.json"), join(root, "plugins/tsconfig.json"));
  await cp(join(REPO, "examples/hello-ts"), join(root, "plugins/hello-ts"), { recursive: true });
  await cp(join(REPO, "examples/hello-ts"), join(root, "examples/hello-ts"), { recursive: true });
  return root;
}

for (const [name, make] of Object.entries(PLACES)) {
  test(
    `in ${name}: right types pass, a wrong one is named with its file and line`,
    async (t) => {
      const root = await place(t, make);
      const greet = join(root, "plugins/greet");
      await writeFile(join(greet, "index.ts"), GREET);
      assert.is(await complaints(greet), undefined);
      await writeFile(join(greet, "index.ts"), GREET.replace('"local"', '"lokal"'));
      assert.match((await complaints(greet)) ?? "", /index\.ts.3,\d+.: error/);

      for (const folder of ["plugins/hello-ts", "examples/hello-ts"]) {
        const path = join(root, folder);
        assert.is(await complaints(path), undefined, folder);
        const file = join(path, "src/index.ts");
        await writeFile(file, (await readFile(file, "utf8")).replace("LocalScope }", '"lokal" }'));
        assert.match((await complaints(path)) ?? "", /src\/index\.ts.\d+,\d+.: error/, folder);
      }
    },
    { ms: 180_000 },
  );
}

test("the example's schema is beside it, and is the one that ships", async () => {
  const manifest = join(REPO, "examples/hello-ts/plugin.json");
  const read = async (path: string): Promise<unknown> => JSON.parse(await readFile(path, "utf8")) as unknown;
  const { $schema } = (await read(manifest)) as { readonly $schema: string };
  const path = resolve(dirname(manifest), $schema);
  assert.is(dirname(path), dirname(manifest), "it is copied with the example");
  const shipped = join(REPO, "dist/schemas/plugin.schema.json");
  assert.equal(await read(path), await read(shipped), "cp dist/schemas/plugin.schema.json examples/hello-ts/");
});

test.run();
