/**
 * A process that writes to a local store until it is killed. Standard output says what it has done, line by line: `begin KEY N`,
 * `done KEY N REVISION`. A write is of two keys, and every fifth one deletes both.
 */
import { writeSync } from "node:fs";
import { LocalClusterStore } from "#dist/permissions/cluster/local/local-store.js";
import { ClusterKeys } from "#dist/storage/cluster-keys.js";
import { statePaths } from "#dist/storage/paths.js";
import { StateFile } from "#dist/storage/state-file.js";

const [seed = "0", boot = "", folder = ""] = process.argv.slice(2);
const say = (text: string): void => void writeSync(1, `${text}\n`);
let n = Number(seed);

const store = new LocalClusterStore(new ClusterKeys(await StateFile.open(statePaths(folder), boot)));
const { id } = await store.lease(60_000);
await store.commit([], [{ key: "k/alive", text: "1", lease: id }]);
say("ready");
await Promise.all(
  Array.from({ length: 4 }, async (_, worker) => {
    for (let turn = 0; ; turn++) {
      const key = `k/${worker}-${turn % 3}`;
      const mine = ++n;
      const text = mine % 5 === 0 ? undefined : JSON.stringify([mine, "x".repeat(mine % 700)]);
      say(`begin ${key} ${mine}`);
      const { revision } = await store.commit(
        [],
        [
          { key: `${key}/a`, text },
          { key: `${key}/b`, text },
        ],
      );
      say(`done ${key} ${mine} ${revision}`);
    }
  }),
);
