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

/** Runs one life in a mount namespace of its own, with so few descriptors that they can be used up. */
async function life(t: TestContext, script: string, args: readonly string[]): Promise<Record<string, unknown>> {
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
  return JSON.parse(out);
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

test(
  `${Math.min(WORLDS, grid.length)} worlds with few free blocks and inodes`,
  async (t) => {
    let [refusedAtStart, refusedLater] = [0, 0];
    const worlds = grid.slice(0, WORLDS);
    for (const { kind, pages, inodes } of worlds) {
      const told = (await life(t, WORLD, [kind, String(pages), String(inodes)])) as unknown as Told;
      lives(told, `${kind}, ${pages} pages and ${inodes} inodes free`);
      if (told.open !== "done") refusedAtStart++;
      else if (told.create !== undefined) refusedLater++;
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
        const told = (await life(t, WORLD, [kind, String(pages), "8"])) as unknown as Told;
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
          const told = (await life(t, FAULT_WORLD, [fault, kind, String(count)])) as unknown as ToldOfFault;
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
