/** Killed at random writes, again and again over the same folders: whatever was acknowledged is there. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { LogJournal } from "#dist/storage/journal/log-journal.js";
import { BOOT_KEY } from "#dist/storage/open-log.js";
import { statePaths } from "#dist/storage/paths.js";
import { StateFile } from "#dist/storage/state-file.js";
import { STATE_KILLS as LIVES } from "../amounts.js";
import { assert, suite } from "../harness.js";

const test = suite("storage/killed");
const WRITER = fileURLToPath(new URL("./writer.js", import.meta.url));
/** Folders that one process writes to: its end is a kill at a random write of each. */
const FOLDERS = 10;
const ROUNDS = Math.ceil(LIVES / FOLDERS);
const BOOT = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();

interface Begun {
  readonly n: number;
  readonly gone: boolean;
}

/** What is known of one folder. */
interface Life {
  readonly folder: string;
  readonly begun: Map<string, Begun[]>;
  readonly sure: Map<string, number>;
}

/** Lets the writer go on for some lines after it is ready, kills it, and gives what it said. */
async function killedAfter(lines: number, seed: number, folders: readonly string[]): Promise<readonly string[]> {
  const child = spawn(process.execPath, [WRITER, String(seed), BOOT, ...folders], {
    stdio: ["ignore", "pipe", "inherit"],
  });
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

async function check({ folder, begun, sure }: Life, where: string): Promise<void> {
  const state = await StateFile.open(statePaths(folder), BOOT);
  const rows = await new LogJournal(state).load("bridge");
  // A folder knows the machine's boot from its first host on.
  if (!state.has("meta", BOOT_KEY)) await state.put("meta", BOOT_KEY, JSON.stringify(BOOT));
  await state.close();
  const found = new Map(rows.map(({ key, entry }) => [key.nid, JSON.parse(entry.options).n as number]));
  for (const [nid, all] of begun) {
    const last = sure.get(nid) ?? 0;
    const n = found.get(nid);
    // It, or one that was begun after it and had not been acknowledged yet.
    const fits = (one: Begun): boolean => one.n >= last && (one.gone ? n === undefined : n === one.n);
    if (!all.some(fits) && !(last === 0 && n === undefined))
      assert.unreachable(
        `${where}: ${nid} holds ${n}, and ${last} was acknowledged of ${JSON.stringify(all.slice(-4))}`,
      );
    // What is there now is what the next round begins with.
    const now = all.filter(fits);
    begun.set(nid, now);
    if (now.length > 0) sure.set(nid, Math.max(last, now[0]?.n ?? 0));
  }
  for (const nid of found.keys()) assert.ok(begun.has(nid), `${where}: ${nid} was never written`);
}

test(
  `every acknowledged write is there after each of ${LIVES} lives`,
  async (t) => {
    const root = await Promise.all(Array.from({ length: FOLDERS }, () => t.folder()));
    const lives = root.map((folder): Life => ({ folder, begun: new Map(), sure: new Map() }));
    for (const life of lives) await check(life, "empty");
    let flushed = 0;
    let kept = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const lines = await killedAfter(1 + Math.floor(Math.random() * 2000), (round + 1) * 1_000_000, root);
      for (const line of lines) {
        const [what, at, nid = "", n, gone] = line.split(" ");
        const life = lives[Number(at)];
        if (!life || nid === "") continue;
        if (what === "begin")
          life.begun.set(nid, [...(life.begun.get(nid) ?? []), { n: Number(n), gone: gone === "true" }]);
        else life.sure.set(nid, Number(n));
        if (what === "flushed") flushed++;
        if (what === "kept") kept++;
      }
      for (const [at, life] of lives.entries()) await check(life, `round ${round}, folder ${at}`);
    }
    assert.ok(flushed > ROUNDS && kept > ROUNDS, `${flushed} flushed, ${kept} kept`);
    console.log(`${ROUNDS * FOLDERS} lives: ${flushed} flushed and ${kept} kept writes acknowledged, none lost`);
  },
  { ms: 7_200_000 },
);

test.run();
