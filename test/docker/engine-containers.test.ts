/** Names of containers, asked of the engine: in good time, bounded, and never in the way. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readContainers } from "#dist/docker/engine-containers.js";
import { assert, suite, type TestContext } from "../harness.js";
import { engineThat, engineWith } from "./engine-api.js";

const test = suite("docker: the engine's containers");

test("by the ids of their endpoints, on every network", async (t) => {
  const engine = await engineWith(t, [
    { name: "web", network: "front", endpoint: "e1" },
    { name: "db", network: "back", endpoint: "e2" },
  ]);
  assert.equal(
    [...(await readContainers(engine))],
    [
      ["e1", { container: "web", network: "front" }],
      ["e2", { container: "db", network: "back" }],
    ],
  );
});

const NOTHING: readonly (readonly [what: string, engine: (t: TestContext) => Promise<string | undefined>])[] = [
  ["no engine is named", async () => undefined],
  ["there is no socket", async (t) => join(await t.folder(), "none.sock")],
  [
    "a file",
    async (t) => {
      const path = join(await t.folder(), "file");
      await writeFile(path, "[]");
      return path;
    },
  ],
  ["it does not answer: the engine holds a lock while it calls us", (t) => engineThat(t, () => {})],
  ["it never ends", (t) => engineThat(t, (_, response) => void response.write("["))],
  ["it refuses", (t) => engineThat(t, (_, response) => void response.writeHead(500).end("[]"))],
  ["no JSON", (t) => engineThat(t, (_, response) => void response.end("hello"))],
  ["an object", (t) => engineThat(t, (_, response) => void response.end('{"Names":[]}'))],
  ["rows of another form", (t) => engineThat(t, (_, response) => void response.end('[1,{"Names":["/a"]},null]'))],
  ["names that no engine gives", (t) => engineWith(t, [{ name: "a\u001b[2Jb", network: "front", endpoint: "e1" }])],
  ["more than is read", (t) => engineThat(t, (_, response) => void response.end(`["${"x".repeat(9_000_000)}"]`))],
];

for (const [what, engine] of NOTHING)
  test(`no name, and soon: ${what}`, async (t) => {
    const began = performance.now();
    assert.is((await readContainers(await engine(t))).size, 0);
    assert.ok(performance.now() - began < 2_000, "it took too long");
  });

test.run();
