/**
 * File systems without room, and folders that something happens to: the process lives, what was acknowledged is there, what ends something
 * is still written to a full disk, and service goes on when the fault is over.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { WORLDS } from "../amounts.js";
import { assert, suite, type TestContext } from "../harness.js";
import { type FileSystem, hasProgram, lacks } from "./file-systems.js";

const test = suite("storage/full");
const WORLD = fileURLToPath(new URL("./world.js", import.meta.url));
const FAULT_WORLD = fileURLToPath(new URL("./fault-world.js", import.meta.url));
const needs = process.getuid?.() === 0 ? false : "no root: nothing can be mounted";

interface Told {
  readonly open: string;
  readonly openWithRoom?: string;
  readonly create?: string;
  readonly created: number;
  readonly delete: string;
  readonly createWithRoom: string;
  readonly close: string;
  readonly again: string;
  readonly lost: number;
}

/** Runs lives in a mount namespace of their own, with so few descriptors that they can be used up. Returns what each has told. */
async function lived<T>(t: TestContext, script: string, args: readonly string[]): Promise<readonly T[]> {
  const command = ["--mount", "--propagation", "private", "prlimit", "--nofile=256", process.execPath, script, ...args];
  const child = spawn("unshare", [...command, await t.folder()], { stdio: ["ignore", "pipe", "pipe"] });
  let [out, err] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    err += text;
  });
  await once(child, "close");
  assert.equal([child.exitCode, child.signalCode], [0, null], `${args.join(", ")}: ${err}`);
  return out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}

/** Checks a life on a file system where allocated bytes are sure. */
function lives(told: Told, where: string): void {
  const opened = told.open === "done";
  assert.ok(opened || told.open === "ERR_STORAGE_FULL", `${where}: opening: ${told.open}`);
  if (!opened) assert.is(told.openWithRoom, "done", `${where}: opening with room`);
  assert.ok(told.create === undefined || told.create === "ERR_STORAGE_FULL", `${where}: creating: ${told.create}`);
  const { delete: deleting, createWithRoom, close, again, lost } = told;
  assert.equal(
    { deleting, createWithRoom, close, again, lost },
    { deleting: "done", createWithRoom: "done", close: "done", again: "done", lost: 0 },
    `${where}: ${JSON.stringify(told)}`,
  );
}

/** Checks one on btrfs, where a full disk may refuse a deletion, and then all writes until the next start. */
function survives(told: Told, where: string): void {
  for (const how of [told.open, told.create, told.delete, told.createWithRoom])
    assert.ok(how === undefined || how === "done" || how === "ERR_STORAGE_FULL", `${where}: ${JSON.stringify(told)}`);
  const { close, again, lost } = told;
  assert.equal({ close, again, lost }, { close: "done", again: "done", lost: 0 }, `${where}: ${JSON.stringify(told)}`);
}

const PAGES = [0, 1, 2, 3, 4, 8, 16, 63, 64, 128, 130, 192, 400];
const INODES = [0, 1, 2, 3, 4, 8];
/** Short: each row and column of the grid is there. */
const grid = ["tmpfs", "ext4"].flatMap((kind) =>
  INODES.flatMap((inodes, row) =>
    PAGES.filter((_, column) => WORLDS >= 150 || (row + column) % 7 === 0).map((pages) => ({ kind, pages, inodes })),
  ),
);

type Cell = (typeof grid)[number];

/** The worlds that one process lives through: all of a kind; in the whole grid, each has its own. */
function inTurns(worlds: readonly Cell[]): readonly [Cell, ...Cell[]][] {
  if (WORLDS >= 150) return worlds.map((one) => [one]);
  const byKind = new Map<string, [Cell, ...Cell[]]>();
  for (const one of worlds) {
    const found = byKind.get(one.kind);
    if (found) found.push(one);
    else byKind.set(one.kind, [one]);
  }
  return [...byKind.values()];
}

test(
  `${Math.min(WORLDS, grid.length)} worlds with few free blocks and inodes`,
  async (t) => {
    let [refusedAtStart, refusedLater] = [0, 0];
    const worlds = grid.slice(0, WORLDS);
    for (const some of inTurns(worlds)) {
      const [{ kind }] = some;
      const all = await lived<Told>(t, WORLD, [kind, ...some.map(({ pages, inodes }) => `${pages},${inodes}`)]);
      for (const [n, { pages, inodes }] of some.entries()) {
        const told = all[n] as Told;
        lives(told, `${kind}, ${pages} pages and ${inodes} inodes free`);
        if (told.open !== "done") refusedAtStart++;
        else if (told.create !== undefined) refusedLater++;
      }
    }
    console.log(`${worlds.length} worlds: ${refusedAtStart} refused at start, ${refusedLater} later`);
    assert.ok(refusedAtStart > 0 && refusedLater > 0, `${refusedAtStart} at start, ${refusedLater} later`);
  },
  { ms: 7_200_000, needs },
);

for (const [kind, lacking] of [
  ["xfs", lacks("xfs")],
  ["btrfs", lacks("btrfs")],
  ["quota", lacks("btrfs") || (hasProgram("btrfs") ? false : "there is no btrfs")],
] as const)
  test(
    `a full ${kind === "quota" ? "quota" : `file system of ${kind}`}`,
    async (t) => {
      const all = kind === "quota" ? [160, 200, 260, 400] : [0, 1, 8, 64, 192, 400];
      const seen = new Map<string, number>();
      for (const pages of WORLDS >= 150 ? all : all.filter((_, at) => at % 3 === 1)) {
        const [told] = (await lived<Told>(t, WORLD, [kind, `${pages},8`])) as [Told];
        (kind === "xfs" ? lives : survives)(told, `${kind}, ${pages} pages free`);
        const how = [told.open, told.create, told.delete].join(" ");
        seen.set(how, (seen.get(how) ?? 0) + 1);
      }
      console.log(`${kind}: ${[...seen].map(([how, count]) => `${count} × ${how}`).join(", ")}`);
    },
    { ms: 900_000, needs: needs || lacking },
  );

interface ToldOfFault {
  readonly open: string;
  readonly create?: string;
  readonly delete?: string;
  readonly close?: string;
  readonly closeMs?: number;
  readonly again: string;
  readonly lost: number;
  readonly writesAgain: string;
}

/** What a fault leads to: at the start, and for writes while a host runs. */
const FAULTS: readonly {
  readonly fault: string;
  readonly kinds: readonly FileSystem[];
  readonly writes: readonly number[];
  readonly start: string;
  readonly later: string;
}[] = [
  { fault: "read-only", kinds: ["tmpfs", "ext4", "xfs", "btrfs"], writes: [0], start: "ERR_DATA_DIR", later: "" },
  { fault: "turned read-only", kinds: ["ext4"], writes: [1, 5, 40], start: "", later: "ERR_JOURNAL_FAILED" },
  { fault: "device cut short", kinds: ["ext4", "xfs"], writes: [1, 5, 40], start: "", later: "ERR_JOURNAL_FAILED" },
  { fault: "no descriptors", kinds: ["tmpfs", "ext4"], writes: [0, 1, 5, 40], start: "ERR_DATA_DIR", later: "done" },
  { fault: "moved", kinds: ["tmpfs", "ext4"], writes: [1, 5, 40], start: "", later: "ERR_JOURNAL_FAILED" },
  { fault: "replaced", kinds: ["tmpfs", "ext4"], writes: [1, 5, 40], start: "", later: "ERR_JOURNAL_FAILED" },
  { fault: "removed", kinds: ["tmpfs", "ext4"], writes: [1, 5, 40], start: "", later: "ERR_JOURNAL_FAILED" },
];

for (const { fault, kinds, writes, start, later } of FAULTS)
  for (const kind of kinds)
    test(
      `${fault}, on ${kind}`,
      async (t) => {
        for (const count of WORLDS >= 150 ? writes : writes.slice(0, 2)) {
          const [told] = (await lived<ToldOfFault>(t, FAULT_WORLD, [fault, kind, String(count)])) as [ToldOfFault];
          const where = `after ${count} writes: ${JSON.stringify(told)}`;
          if (told.close === undefined) assert.is(told.open, start, where);
          else {
            assert.equal([told.open, told.create, told.delete, told.close], ["done", later, later, "done"], where);
            assert.ok((told.closeMs ?? 0) < 7000, where);
          }
          // Of a folder that was removed, nothing is left to be found.
          const lost = fault === "removed" ? told.lost : 0;
          assert.equal([told.again, told.lost, told.writesAgain], ["done", lost, "done"], where);
        }
      },
      { ms: 300_000, needs: needs || lacks(kind) },
    );

test.run();
