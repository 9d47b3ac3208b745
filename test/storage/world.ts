/**
 * Lives of data folders on file systems with little room, one after the other, in a mount namespace of their own. Prints a line of JSON for
 * each: what opening, creating, deleting, writing again and closing did, and what a second opening found.
 * Usage: world.js KIND FREE_PAGES,FREE_INODES … FOLDER. KIND: a file system, or `quota` for a subvolume of btrfs with a quota of that many
 * pages.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openDataFolder } from "#dist/storage/folder.js";
import { LogJournal } from "#dist/storage/journal/log-journal.js";
import { type FileSystem, isSparse, mountNew } from "./file-systems.js";

const [given = "tmpfs", ...rest] = process.argv.slice(2);
const folderOfAll = rest.pop() ?? "";
const quota = given === "quota";
const kind = quota ? "btrfs" : (given as FileSystem);
const PAGE = 4096;

interface World {
  /** Where its file system is mounted. */
  readonly at: string;
  /** The data folder. */
  readonly folder: string;
  readonly pages: number;
  readonly inodes: number;
}

function make(root: string, pages: number, inodes: number): World {
  const at = join(root, "world");
  const folder = join(at, "data");
  mkdirSync(at, { recursive: true });
  mountNew(kind, root, at);
  if (quota) {
    execFileSync("btrfs", ["quota", "enable", at]);
    execFileSync("btrfs", ["subvolume", "create", folder], { stdio: "ignore" });
    execFileSync("btrfs", ["qgroup", "limit", String(pages * PAGE), folder]);
  } else mkdirSync(folder);
  return { at, folder, pages, inodes };
}

/** Leaves that many free pages and inodes. */
function fill({ at, pages, inodes }: World): void {
  if (quota) return;
  if (!isSparse(kind)) for (let n = 0; statfsSync(at).ffree > inodes + 1; n++) mkdirSync(join(at, `i${n}`));
  const filler = join(at, "filler");
  writeFileSync(filler, "");
  for (let size = isSparse(kind) ? 2 ** 24 : 65_536, end = 0; size >= (isSparse(kind) ? 65_536 : PAGE); ) {
    const { bavail, bsize } = statfsSync(at);
    const spare = bavail * bsize - pages * PAGE;
    if (spare <= 0) return;
    const piece = Math.min(spare, size);
    try {
      if (isSparse(kind))
        execFileSync("fallocate", ["-o", String(end), "-l", String(piece), filler], { stdio: "ignore" });
      else writeFileSync(filler, Buffer.alloc(piece), { flag: "a" });
      end += piece;
    } catch {
      size /= 4;
    }
  }
}

function makeRoom({ at, folder }: World): void {
  if (quota) execFileSync("btrfs", ["qgroup", "limit", "none", folder]);
  rmSync(join(at, "filler"), { force: true });
  // XFS and btrfs free what was removed later.
  if (isSparse(kind)) execFileSync("sync", ["-f", at]);
}

/** What an attempt ends with: "done", or an error's code. */
async function outcome(work: () => unknown): Promise<string> {
  try {
    await work();
    return "done";
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}

async function live(world: World): Promise<object> {
  const { at, folder } = world;
  fill(world);
  const told: Record<string, unknown> = {};
  const acknowledged = new Set<string>();
  let opened: Awaited<ReturnType<typeof openDataFolder>> | undefined;
  told.open = await outcome(async () => {
    opened = await openDataFolder(folder);
  });
  if (told.open !== "done") {
    makeRoom(world);
    for (const name of readdirSync(at)) if (/^i\d+$/.test(name)) rmSync(join(at, name), { recursive: true });
    told.openWithRoom = await outcome(async () => {
      opened = await openDataFolder(folder);
    });
  }
  if (opened) {
    const journal = new LogJournal(opened.state);
    const entry = (phase: "creating" | "live") => ({ phase, options: JSON.stringify({ fill: "x".repeat(2000) }) });
    const create = async (nid: string): Promise<void> => {
      const key = { type: "bridge", nid };
      journal.intend({ key, entry: entry("creating") });
      journal.commit();
      await journal.settle({ key, entry: entry("live") });
      acknowledged.add(nid);
    };
    // More than the file system holds.
    for (let n = 0; n < (isSparse(kind) ? 600 : 3000) && told.create === undefined; n++) {
      const how = await outcome(() => create(`n${n}`));
      if (how !== "done") told.create = how;
    }
    told.created = acknowledged.size;
    // What is refused is withdrawn by its caller, again and again.
    for (let n = 0; told.create !== undefined && n < 3000; n++) {
      const refused = `refused-${n}`.padEnd(64, "x");
      await outcome(() => create(refused));
      await outcome(() => journal.settle({ key: { type: "bridge", nid: refused }, entry: undefined }));
    }
    const gone = [...acknowledged].slice(0, acknowledged.size / 2);
    told.delete = await outcome(async () => {
      for (const nid of gone) {
        await journal.settle({ key: { type: "bridge", nid }, entry: undefined });
        acknowledged.delete(nid);
      }
    });
    makeRoom(world);
    const end = Date.now() + 5000;
    do told.createWithRoom = await outcome(() => create("late"));
    while (told.createWithRoom === "ERR_STORAGE_FULL" && Date.now() < end);
    told.close = await outcome(() => opened?.close());
    told.again = await outcome(async () => {
      const again = await openDataFolder(folder);
      const rows = new Set((await new LogJournal(again.state).load("bridge")).map(({ key }) => key.nid));
      told.lost = [...acknowledged].filter((nid) => !rows.has(nid)).length;
      await again.close();
    });
  }
  return told;
}

for (const [n, one] of rest.entries()) {
  const [pages = 0, inodes = 0] = one.split(",").map(Number);
  console.log(JSON.stringify(await live(make(join(folderOfAll, String(n)), pages, inodes))));
}
