/** What is packed and installed works from there: an empty project, a plugin, the command, the types. */
import { execFile } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join, normalize } from "node:path";
import { promisify } from "node:util";
import { assert, suite, type TestContext } from "./harness.js";
import { REPO } from "./kit/host.js";
import { plugin } from "./kit/plugins.js";
import { installPacked, pack } from "./packed.js";

const test = suite("the package");
const run = promisify(execFile);

interface Project {
  readonly folder: string;
  /** Runs one of the project's binaries, or node. */
  run(command: string, ...args: readonly string[]): Promise<string>;
}

/** The files of the package, relative to it. */
async function packed(): Promise<readonly string[]> {
  const { stdout } = await run("tar", ["-tzf", await pack()]);
  return stdout
    .trim()
    .split("\n")
    .map((path) => path.slice("package/".length));
}

/** An empty project with the package installed. */
async function project(t: TestContext): Promise<Project> {
  const file = await pack();
  const folder = await t.folder();
  await writeFile(join(folder, "package.json"), '{ "name": "platform", "private": true, "type": "module" }\n');
  try {
    await run("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", "--silent", file], {
      cwd: folder,
      timeout: 60_000,
    });
  } catch (error) {
    console.log(`NOTE the package: npm install failed (${firstLine(error)}); its dependencies are copied instead`);
    await installPacked(file, folder);
  }
  return {
    folder,
    async run(command, ...args) {
      const path = command === "node" ? process.execPath : join(folder, "node_modules/.bin", command);
      const { stdout } = await run(path, args, { cwd: folder, env: { ...process.env, NODE_PATH: "" } });
      return stdout;
    },
  };
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n", 1)[0] ?? "";
}

const PLATFORM = `
import { createPluginHost, EndpointConfig } from "bulkhead";
const host = await createPluginHost({ plugins: ["./plugins", "./node_modules/bulkhead/plugins"], isolation: "thread" });
const driver = host.driver("mine");
await driver.createNetwork("n");
const endpoint = new EndpointConfig();
await driver.createEndpoint("n", "e", endpoint);
console.log(JSON.stringify({ states: host.plugins().map(({ name, state }) => name + " " + state), ip: endpoint.interfaces()[0].address() }));
await host.close();
`;

test(
  "installed into an empty project: a platform runs, with plugins of its own and those shipped",
  async (t) => {
    const { folder, run } = await project(t);
    await mkdir(join(folder, "plugins"));
    const methods = 'createEndpoint(_n, _e, info) { info.addInterface(0, "", "10.7.0.2/24", ""); },';
    const top = 'import { LocalScope } from "bulkhead/plugin";';
    await writeFile(
      join(folder, "plugins/mine.ts"),
      plugin("mine", { top, methods, capability: "{ scope: LocalScope }" }),
    );
    await writeFile(join(folder, "platform.mjs"), PLATFORM);
    const seen = JSON.parse(await run("node", "platform.mjs")) as { states: string[]; ip: string };
    assert.equal(seen, {
      states: [
        "bridge awaiting-grant",
        "egress awaiting-grant",
        "host running",
        "macvlan awaiting-grant",
        "mine running",
        "null running",
        "overlay awaiting-grant",
      ],
      ip: "10.7.0.2/24",
    });

    const help = await run("bulkhead", "--help");
    for (const command of ["check", "grant", "revoke", "ls"]) assert.match(help, new RegExp(`^  ${command}\\b`, "m"));
    const { version } = JSON.parse(await readFile(join(REPO, "package.json"), "utf8")) as { version: string };
    assert.is((await run("bulkhead", "--version")).trim(), version);
    assert.match(await run("bulkhead", "check", "plugins/mine.ts"), /registered {3}mine \(local\)/);
  },
  { ms: 180_000 },
);

test("nothing but what is meant to be is packed", async () => {
  const files = await packed();
  const tops = new Set(files.map((path) => path.split("/")[0] ?? ""));
  const pages = ["CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "README.md", "SECURITY.md"];
  const folders = ["dist", "examples", "plugins", "src", "test"];
  const meant = [...pages, ...folders, "package.json"];
  assert.equal(
    [...tops].filter((name) => !meant.includes(name)),
    [],
  );
  for (const name of [...folders, "package.json"]) assert.ok(tops.has(name), name);
  const strays = files.filter((path) => /^(src|test)\//.test(path) && !/\/(README\.md|[\w-]+\.(svg|png))$/.test(path));
  assert.equal(strays, [], "of src and test, only pages and their pictures");
  assert.not.match(files.join("\n"), /node_modules|(^|\n)dist\/.*\.test\.|\.tsbuildinfo/);
});

test("what a packed page links to is packed", async () => {
  const files = new Set(await packed());
  const missing: string[] = [];
  for (const page of [...files].filter((path) => path.endsWith(".md"))) {
    const text = await readFile(join(REPO, page), "utf8");
    for (const [, to = ""] of text.matchAll(/\]\(((?!https?:|#)[^)\s#]+)/g)) {
      const path = normalize(join(dirname(page), to)).replace(/\/$/, "");
      if (!files.has(path) && !files.has(join(path, "README.md"))) missing.push(`${page}: ${to}`);
    }
  }
  assert.equal(missing, []);
});

test(
  "publint and attw are content",
  async () => {
    const file = await pack();
    const lint = await run(join(REPO, "node_modules/.bin/publint"), [file], { cwd: REPO });
    assert.match(lint.stdout, /All good!/);
    await run(join(REPO, "node_modules/.bin/attw"), [file, "--profile", "esm-only", "--quiet"], { cwd: REPO });
  },
  { ms: 60_000 },
);

test(
  "an author's TypeScript is checked by the types of bulkhead/plugin, without Node's",
  async (t) => {
    const folder = await t.folder();
    await mkdir(join(folder, "node_modules"));
    await run("ln", ["-s", REPO, join(folder, "node_modules/bulkhead")]);
    await writeFile(join(folder, "package.json"), '{ "type": "module" }');
    const base = `import { type Driver, type DriverCallback, LocalScope, type Powers } from "bulkhead/plugin";
export async function init(callback: DriverCallback, powers: Powers): Promise<void> {
  const driver: Driver = {
    type: () => "typed", config() {}, createNetwork: (nid) => powers.store.set(nid, { at: 1 }), deleteNetwork() {},
    createEndpoint(_nid, _eid, epInfo, _options, ctx) { if (!ctx.replay) epInfo.addInterface(0, "", "10.0.0.2/24", ""); },
    deleteEndpoint() {}, endpointOperInfo: () => ({}), join() {}, leave() {},
  };
  await callback.registerDriver("typed", driver, { scope: LocalScope });
}
`;
    const check = (name: string): Promise<unknown> =>
      run(
        join(REPO, "node_modules/.bin/tsc"),
        [
          "--noEmit",
          "--strict",
          "--module",
          "nodenext",
          "--target",
          "es2022",
          "--lib",
          "es2022,dom",
          "--types",
          "",
          name,
        ],
        { cwd: folder },
      );
    await writeFile(join(folder, "good.ts"), base);
    await check("good.ts");
    await writeFile(join(folder, "bad.ts"), base.replace('"10.0.0.2/24", ""', '"10.0.0.2/24", 7'));
    let refused = "";
    await check("bad.ts").catch((error: { stdout?: string }) => {
      refused = error.stdout ?? "";
    });
    assert.match(refused, /bad\.ts\(5,.*number.*string/);
  },
  { ms: 60_000 },
);

test.run();
