/**
 * One life of a data folder that something happens to, in a mount namespace of its own. Prints a line of JSON: how opening, writing and
 * closing ended, and what is lost once the fault is mended.
 * Usage: fault-world.js FAULT KIND WRITES ROOT. WRITES: how many networks are acknowledged before the fault.
 */
import { execFileSync } from "node:child_process";
import { closeSync, cpSync, mkdirSync, openSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { openDataFolder } from "#dist/storage/folder.js";
import { LogJournal } from "#dist/storage/journal/log-journal.js";
import { type FileSystem, mountImage, mountNew } from "./file-systems.js";

const [fault = "", given = "tmpfs", writes = "0", root = ""] = process.argv.slice(2);
const kind = given as FileSystem;
const at = join(root, "world");
const folder = join(at, "data");
mkdirSync(at);
const device = mountNew(kind, root, at);
const image = join(root, "image");
mkdirSync(folder, { recursive: true });

interface Fault {
  begin(): void;
  /** Mends it, after the close. */
  end(): void;
}

const spare: number[] = [];
const sync = (): void => void execFileSync("sync", ["-f", at]);

const FAULTS: Readonly<Record<string, Fault>> = {
  "read-only": {
    begin: () => void execFileSync("mount", ["-o", "remount,ro", at]),
    end: () => void execFileSync("mount", ["-o", "remount,rw", at]),
  },
  // The file system turns read-only by itself, with files open.
  "turned read-only": {
    begin: () => writeFileSync(`/sys/fs/ext4/${basename(device ?? "")}/trigger_fs_error`, "1"),
    end() {
      execFileSync("umount", [at]);
      mountImage(kind, image, at);
    },
  },
  // The device ends before the blocks that are written: EIO.
  "device cut short": {
    begin() {
      sync();
      cpSync(image, `${image}.whole`);
      truncateSync(image, 65_536);
      execFileSync("losetup", ["--set-capacity", device ?? ""]);
    },
    end() {
      execFileSync("umount", ["--lazy", at]);
      mountImage(kind, `${image}.whole`, at);
    },
  },
  "no descriptors": {
    begin() {
      try {
        for (;;) spare.push(openSync("/dev/null", "r"));
      } catch {}
    },
    end() {
      for (const fd of spare.splice(0)) closeSync(fd);
    },
  },
  moved: { begin: () => renameSync(folder, `${folder}-away`), end: () => renameSync(`${folder}-away`, folder) },
  replaced: {
    begin() {
      renameSync(folder, `${folder}-away`);
      cpSync(`${folder}-away`, folder, { recursive: true });
    },
    end() {
      rmSync(folder, { recursive: true });
      renameSync(`${folder}-away`, folder);
    },
  },
  removed: { begin: () => rmSync(folder, { recursive: true }), end() {} },
};

async function outcome(work: () => unknown): Promise<string> {
  try {
    await work();
    return "done";
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}

const acknowledged = new Set<string>();
async function create(journal: LogJournal, nid: string): Promise<void> {
  const key = { type: "bridge", nid };
  const options = JSON.stringify({ fill: "x".repeat(500) });
  journal.intend({ key, entry: { phase: "creating", options } });
  journal.commit();
  await journal.settle({ key, entry: { phase: "live", options } });
  acknowledged.add(nid);
}

const told: Record<string, unknown> = {};
const { begin, end } = FAULTS[fault] as Fault;
const fromStart = fault === "read-only" || Number(writes) === 0;
if (fromStart) {
  const before = await openDataFolder(folder);
  await create(new LogJournal(before.state), "before");
  await before.close();
  begin();
}
let opened: Awaited<ReturnType<typeof openDataFolder>> | undefined;
told.open = await outcome(async () => {
  opened = await openDataFolder(folder);
});
if (opened) {
  const journal = new LogJournal(opened.state);
  for (let n = 0; n < Number(writes); n++) await create(journal, `n${n}`);
  if (!fromStart) begin();
  told.create = await outcome(async () => {
    for (let n = 0; n < 20; n++) await create(journal, `late${n}`);
  });
  told.delete = await outcome(async () => {
    await journal.settle({ key: { type: "bridge", nid: "n0" }, entry: undefined });
    acknowledged.delete("n0");
  });
  const began = performance.now();
  told.close = await outcome(() => opened?.close());
  told.closeMs = Math.round(performance.now() - began);
}
end();
told.again = await outcome(async () => {
  const again = await openDataFolder(folder);
  const journal = new LogJournal(again.state);
  const rows = new Set((await journal.load("bridge")).map(({ key }) => key.nid));
  told.lost = [...acknowledged].filter((nid) => !rows.has(nid)).length;
  told.writesAgain = await outcome(() => create(journal, "again"));
  await again.close();
});
console.log(JSON.stringify(told));
