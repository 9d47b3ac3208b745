/**
 * File systems with little or no room: the process lives, what was acknowledged is there, what ends something is still written, and
 * service goes on when there is room again.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { WORLDS } from "../amounts.js";
import { assert, suite, type TestContext } from "../harness.js";

const test = suite("storage/full");
const WORLD = fileURLToPath(new URL("./world.js", import.meta.url));
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

async function world(t: TestContext, kind: string, pages: number, inodes: number): Promise<Told> {
  const command = ["--mount", "--propagation", "private", process.execPath, WORLD, kind, String(pages), String(inodes)];
  const child = spawn("unshare", [...command, await t.folder()], { stdio: ["ignore", "pipe", "pipe"] });
  let [out, err] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    err += text;
  });
  await once(child, "close");
  const where = `${kind}, ${pages} pages and ${inodes} inodes free`;
  assert.equal([child.exitCode, child.signalCode], [0, null], `${where}: ${err}`);
  return JSON.parse(out) as Told;
}

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

const PAGES = [0, 1, 2, 3, 4, 8, 16, 63, 64, 128, 130, 192, 400];
const INODES = [0, 1, 2, 3, 4, 8];

test(
  `${WORLDS} worlds`,
  async (t) => {
    let refusedAtStart = 0;
    let refusedLater = 0;
    let done = 0;
    for (const kind of ["tmpfs", "ext4"])
      for (const inodes of INODES)
        for (const pages of PAGES) {
          // The short form takes every seventh, so that each row and column is there.
          if (WORLDS < 150 && (PAGES.indexOf(pages) + INODES.indexOf(inodes)) % 7 !== 0) continue;
          if (done++ >= WORLDS) continue;
          const told = await world(t, kind, pages, inodes);
          lives(told, `${kind}, ${pages} pages and ${inodes} inodes free`);
          if (told.open !== "done") refusedAtStart++;
          else if (told.create !== undefined) refusedLater++;
        }
    console.log(`${done} worlds: ${refusedAtStart} refused at start, ${refusedLater} later`);
    assert.ok(refusedAtStart > 0 && refusedLater > 0, `${refusedAtStart} at start, ${refusedLater} later`);
  },
  { ms: 900_000, needs },
);

test.run();
