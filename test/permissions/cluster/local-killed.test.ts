/** The local store's process, killed at any moment: acknowledged writes are there, whole, and revisions never go back. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { rangeOf } from "#dist/permissions/cluster/backend.js";
import { LocalClusterStore } from "#dist/permissions/cluster/local/local-store.js";
import { ClusterKeys } from "#dist/storage/cluster-keys.js";
import { statePaths } from "#dist/storage/paths.js";
import { StateFile } from "#dist/storage/state-file.js";
import { CLUSTER_KILLS as LIVES } from "../../amounts.js";
import { assert, suite } from "../../harness.js";

const test = suite("permissions/cluster/local-killed");
const WRITER = fileURLToPath(new URL("./local-writer.js", import.meta.url));
const BOOT = "boot";

/** Lets the writer say some lines, kills it, and returns what it said. */
async function killedAfter(lines: number, seed: number, folder: string): Promise<readonly string[]> {
  const child = spawn(process.execPath, [WRITER, String(seed), BOOT, folder], { stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  let seen = 0;
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    said += chunk;
    seen += chunk.split("\n").length - 1;
    if (seen > lines) child.kill("SIGKILL");
  });
  await once(child, "close");
  assert.is(child.signalCode, "SIGKILL", said.slice(-400));
  return said.split("\n").slice(0, -1);
}

test(
  `every acknowledged write is there after each of ${LIVES} lives`,
  async (t) => {
    const folder = await t.folder();
    /** Of each key: the writes begun since the last acknowledged one, with that one first; a multiple of five is a deletion. */
    const possible = new Map<string, readonly number[]>();
    let highest = 0;
    let acknowledged = 0;
    for (let life = 0; life < LIVES; life++) {
      const lines = await killedAfter(1 + Math.floor(Math.random() * 1_500), (life + 1) * 1_000_000, folder);
      const before = highest;
      const reached = new Map<string, number>();
      for (const line of lines) {
        const [what, key = "", n, revision] = line.split(" ");
        if (what === "begin") possible.set(key, [...(possible.get(key) ?? [0]), Number(n)]);
        if (what !== "done") continue;
        acknowledged++;
        possible.set(
          key,
          (possible.get(key) ?? []).filter((one) => one >= Number(n)),
        );
        // Workers write at the same time, each one write after another; a deletion of what is not there writes nothing.
        const worker = key.replace(/-.*/, "");
        const last = reached.get(worker) ?? before;
        assert.ok(Number(revision) >= last, `${worker}: revision ${revision} after ${last}`);
        reached.set(worker, Number(revision));
        highest = Math.max(highest, Number(revision));
      }
      const state = await StateFile.open(statePaths(folder), BOOT);
      const store = new LocalClusterStore(new ClusterKeys(state));
      const { entries, revision } = await store.read(rangeOf("k/"));
      await store.close();
      await state.close();
      assert.ok(revision >= highest, `the store has gone back from ${highest} to ${revision}`);
      highest = revision;
      const found = new Map(entries.map(({ key, text }) => [key, text]));
      assert.is(found.get("k/alive"), undefined, "the lease's key has outlived its holder");
      for (const [key, all] of possible) {
        const [a, b] = [found.get(`${key}/a`), found.get(`${key}/b`)];
        assert.is(a, b, `life ${life}: one write of two keys is there in part`);
        const fits = all.filter((n) => (a === undefined ? n % 5 === 0 : n === (JSON.parse(a) as [number])[0]));
        assert.ok(fits.length > 0, `life ${life}: ${key} has ${a?.slice(0, 20)}, and may have ${all}`);
        possible.set(key, fits);
      }
    }
    assert.ok(acknowledged > LIVES, `${acknowledged} acknowledged`);
    console.log(`${LIVES} lives: ${acknowledged} writes acknowledged, none lost; revision ${highest}`);
  },
  { ms: 3_600_000 },
);

test.run();
