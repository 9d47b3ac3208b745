/** Every driver that a page or an example offers to copy keeps the contract. */

import "../kit/bundles.js";
import { cp, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { driverContract, type TrialOptions } from "#dist/testing.js";
import { FULL } from "../amounts.js";
import { assert, suite, type TestContext } from "../harness.js";
import { REPO } from "../kit/host.js";
import { codeBlock } from "./blocks.js";
import { allPages } from "./pages.js";

const test = suite("documentation: drivers to copy");

interface Documented {
  /** Puts the driver into a folder and gives its path. */
  readonly put: (folder: string) => Promise<string>;
  readonly options?: TrialOptions;
  /** The driver leaves ids and the order of calls to its host, as `recovery: "replay"` allows. */
  readonly brief?: true;
}

const DRIVERS: Readonly<Record<string, Documented>> = {
  "README.md: tiny": { put: printed("README.md", "tiny", "js"), brief: true },
  "plugins/README.md: greet": { put: printed("plugins/README.md", "greet", "ts") },
  "examples/hello": { put: copied("hello", "hello.js") },
  "examples/hello-ts": { put: copied("hello-ts", ".") },
};

/** A driver that a page prints. */
function printed(page: string, type: string, language: "js" | "ts"): Documented["put"] {
  return async (folder) => {
    const path = join(folder, `${type}.${language}`);
    await writeFile(path, await codeBlock(page, language, `registerDriver("${type}"`));
    return path;
  };
}

/** A driver of an example's folder. */
function copied(example: string, entry: string): Documented["put"] {
  return async (folder) => {
    const path = join(folder, example);
    await cp(join(REPO, "examples", example), path, { recursive: true });
    await cp(join(REPO, "node_modules/ipaddr.js"), join(path, "node_modules/ipaddr.js"), { recursive: true });
    return join(path, entry);
  };
}

/** What a driver that hands out addresses gets wrong first. BULKHEAD_LONG=1 tries every rule, which takes six minutes. */
const FIRST = /address|duplicate|in-use|twice|methods/;

for (const [name, { put, options = {}, brief }] of Object.entries(DRIVERS)) {
  test(
    `${name} keeps every rule${brief ? " that its host does not" : ""}${FULL ? "" : " on names and addresses"}`,
    async (t: TestContext) => {
      const plugin = await put(await t.folder());
      const broken: string[] = [];
      // Few rounds: how often a driver can be asked is for the contract's own test.
      const rules = driverContract({ plugin, rounds: 20, ...options })
        .filter(({ group }) => !(brief && group === "alone"))
        .filter(({ id }) => FULL || FIRST.test(id));
      assert.ok(rules.length >= (brief ? 6 : 10), `${rules.length} rules`);
      for (const rule of rules) {
        await rule.run().catch((error: Error) => broken.push(error.message));
      }
      assert.equal(broken, []);
    },
    { ms: 600_000 },
  );
}

test("these are all: no other page prints a driver, and no other example has one", async () => {
  const texts = await Promise.all(allPages().map((page) => readFile(join(REPO, page), "utf8")));
  const types = texts.flatMap((text) => [
    ...text.matchAll(/registerDriver\("([\w-]+)", driver|registerDriver\("([\w-]+)", \{/g),
  ]);
  assert.equal(
    types.map(([, named, inline]) => named ?? inline),
    ["tiny", "greet"],
  );
  // `testing` has a test of its own, which runs the contract; `demo/hang.js` hangs on purpose; the others have no driver.
  assert.equal((await readdir(join(REPO, "examples"))).sort(), [
    "demo",
    "embed",
    "hello",
    "hello-ts",
    "monitoring",
    "serve",
    "testing",
  ]);
});

test.run();
