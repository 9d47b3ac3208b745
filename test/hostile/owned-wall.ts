/** The real wall, but what runs behind it are workers whose realm belongs to an attacker (fixtures/owned). */
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { acquireRuntimeFolder, releaseRuntimeFolder } from "#dist/isolation/walls/runtime-folder.js";
import type { Wall } from "#dist/isolation/walls/wall.js";

const FIXTURES = fileURLToPath(new URL("../../../test/fixtures/owned", import.meta.url));
/** In the runtime folder: a host process finds the worker's bootstrap by where it stands itself. */
const OWNED = "owned";

/** In the place of `raised`; nothing of the wall itself is other than it was. */
export function ownedWall(raised: Wall): Wall {
  const { path } = acquireRuntimeFolder();
  place(path);
  let released = false;
  const entry = { file: `${OWNED}/isolation/host-process.mjs`, as: "node" } as const;
  return {
    ...raised,
    command: (dataMb, trial) => raised.command(dataMb, trial ?? entry),
    release() {
      raised.release();
      if (!released) releaseRuntimeFolder();
      released = true;
    },
  };
}

function place(path: string): void {
  const owned = join(path, OWNED);
  if (existsSync(owned)) return;
  const worker = join(owned, "worker");
  const isolation = join(owned, "isolation");
  for (const folder of [owned, worker, isolation]) {
    mkdirSync(folder);
    chmodSync(folder, 0o755);
  }
  copyFileSync(join(path, "dist/isolation/host-process.mjs"), join(isolation, "host-process.mjs"));
  copyFileSync(join(path, "dist/worker/bootstrap.cjs"), join(worker, "real.cjs"));
  for (const [from, to] of [
    ["attacks.cjs", "attacks.cjs"],
    ["realm.cjs", "realm.cjs"],
    ["stream-tap.cjs", "stream-tap.cjs"],
    ["owned.cjs", "bootstrap.cjs"],
  ] as const) {
    const text = readFileSync(join(FIXTURES, from), "utf8");
    writeFileSync(join(worker, to), text.replace("../../../dist/worker/bootstrap.cjs", "real.cjs"));
    chmodSync(join(worker, to), 0o644);
  }
}
