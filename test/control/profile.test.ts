/** Profiles of a plugin that serves: the hot function first, with the author's file and line; and where Node cannot take one. */
import { readFile } from "node:fs/promises";
import { Worker } from "node:worker_threads";
import type { HostedDriver } from "#dist/index.js";
import { cli } from "../cli/cli.js";
import { assert, rejection, suite, type TestContext } from "../harness.js";
import { REPO } from "../kit/host.js";
import { plugin } from "../kit/plugins.js";
import { controlled } from "./controlled.js";

const test = suite("control: profiles");

/** True where Node can profile a worker: from 24.9 on. */
const CAN = "startHeapProfile" in Worker.prototype;

/** A plugin in two TypeScript files, one of which has the hot function in line 4. */
const FILES = {
  "hot/plugin.json": JSON.stringify({ name: "hot", version: "1.0.0", main: "index.ts", permissions: {} }),
  "hot/spin.ts": `export interface Kept { readonly at: number; readonly text: string }

/** Takes the processor's time; recursive, so that the engine does not inline it into its caller. */
export function spinForLong(depth: number): number {
  return depth < 2 ? 1 : spinForLong(depth - 1) + spinForLong(depth - 2);
}

export function keepForLong(kept: Kept[]): void {
  for (let at = 0; at < 20_000; at++) kept.push({ at, text: String(at) + kept.length });
}
`,
  "hot/index.ts": `import { type Kept, keepForLong, spinForLong } from "./spin.ts";
const kept: Kept[] = [];
${plugin("hot", {
  methods: `createNetwork() { if (spinForLong(31) < 0) throw new Error("no"); },
    deleteNetwork(id) { if (id === "keeps") keepForLong(kept); },`,
})}`,
};

/** Calls the driver until the returned function is called, or a call fails. */
function busy(driver: HostedDriver, network: string): () => Promise<void> {
  let over = false;
  const work = (async () => {
    while (!over) {
      await driver.createNetwork(network);
      await driver.deleteNetwork(network);
    }
  })().catch(() => {});
  return async () => {
    over = true;
    await work;
  };
}

async function place(t: TestContext, isolation: "thread" | "process" | "dedicated", network = "spins") {
  const { host, client, home } = await controlled(t, FILES, { isolation });
  const idle = busy(host.driver("hot"), network);
  t.cleanup(idle);
  return { client, home };
}

for (const isolation of ["thread", "process", "dedicated"] as const)
  test(`${isolation}: the hot function is first, in the author's file`, async (t) => {
    const { client, home } = await place(t, isolation);
    const body = { kind: "cpu", seconds: 1 } as const;
    if (!CAN) {
      const refused = await rejection(client.ask("profile", { id: "hot", body }));
      assert.is(refused.code, "ERR_PROFILE_UNAVAILABLE", refused.message);
      assert.match(refused.message, `Node ${process.versions.node} cannot profile`);
      return;
    }
    const { functions, profile } = await client.ask("profile", { id: "hot", body });
    const [first] = functions;
    assert.equal(
      [first?.name, first?.file, first?.line],
      ["spinForLong", "spin.ts", 4],
      JSON.stringify(functions.slice(0, 3)),
    );
    assert.ok((first?.share ?? 0) > 50, JSON.stringify(functions.slice(0, 3)));
    const text = JSON.stringify(profile);
    assert.not.match(text, REPO);
    assert.not.match(text, home.plugins);
    assert.not.match(text, "file:");
    const { nodes } = profile as { nodes: { callFrame: { functionName: string; url: string; lineNumber: number } }[] };
    const frame = nodes.find(({ callFrame }) => callFrame.functionName === "spinForLong")?.callFrame;
    assert.equal([frame?.url, frame?.lineNumber], ["spin.ts", 3]);
  });

test("heap: what keeps growing is first", async (t) => {
  const { client } = await place(t, "process", "keeps");
  const asked = client.ask("profile", { id: "hot", body: { kind: "heap", seconds: 1 } });
  if (!CAN) {
    assert.is((await rejection(asked)).code, "ERR_PROFILE_UNAVAILABLE");
    return;
  }
  const { functions } = await asked;
  assert.equal([functions[0]?.name, functions[0]?.file], ["keepForLong", "spin.ts"], JSON.stringify(functions));
});

test("one profile of a worker at a time; a plugin without one has none", async (t) => {
  const { client } = await place(t, "thread");
  const body = { kind: "cpu", seconds: 0.5 } as const;
  const expected = CAN ? "ERR_PROFILE_FAILED" : "ERR_PROFILE_UNAVAILABLE";
  const both = await Promise.allSettled([1, 2].map(() => client.ask("profile", { id: "hot", body })));
  const refused = both.flatMap((one) => (one.status === "rejected" ? [one.reason] : []));
  assert.is(refused.length, CAN ? 1 : 2);
  assert.is(refused[0].code, expected);
  await client.ask("quarantine", { id: "hot" }).catch(() => {});
  const gone = await rejection(client.ask("profile", { id: "hot", body }));
  assert.is(gone.code, expected);
  if (CAN) assert.match(gone.message, "it has no worker: it is quarantined");
  const unknown = await rejection(client.ask("profile", { id: "nope", body }));
  assert.is(unknown.code, "ERR_PLUGIN_NOT_FOUND");
});

test("a worker that ends meanwhile ends its profile", async (t) => {
  const { client } = await place(t, "process");
  const asked = rejection(client.ask("profile", { id: "hot", body: { kind: "cpu", seconds: 30 } }));
  if (CAN) await client.ask("restart", { id: "hot" });
  assert.is((await asked).code, CAN ? "ERR_PROFILE_FAILED" : "ERR_PROFILE_UNAVAILABLE");
});

test("the command writes a file, and says what is hot", async (t) => {
  const { home } = await place(t, "thread");
  const out = home.path("hot.cpuprofile");
  const ran = await cli(["profile", "hot", "--seconds", "0.5", "--out", out, "--data-dir", home.path("data")]);
  if (!CAN) {
    assert.equal([ran.exit, ran.out], [1, ""]);
    assert.match(ran.err, /^error ERR_PROFILE_UNAVAILABLE: Node /);
  } else {
    assert.is(ran.exit, 0, ran.err);
    assert.match(
      ran.out,
      /^hot, 0\.5 s: .*\n\nSHARE +SELF +FUNCTION +AT\n[\d.]+ % +[\d.]+ \w+ +spinForLong +spin\.ts:4\n/,
    );
    assert.ok((JSON.parse(await readFile(out, "utf8")) as { samples: unknown[] }).samples.length > 0);
  }
  const wrong = await cli(["profile", "hot", "--seconds", "61", "--data-dir", home.path("data")]);
  assert.equal([wrong.exit, wrong.err], [2, "error ERR_USAGE: --seconds is a number from 0.1 to 60\n"]);
});

test.run();
