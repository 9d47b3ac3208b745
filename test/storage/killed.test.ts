/** Killed at random writes, again and again over one folder: whatever was acknowledged is there. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { openDataFolder } from "#dist/storage/folder.js";
import { LogJournal } from "#dist/storage/journal/log-journal.js";
import { STATE_KILLS as ROUNDS } from "../amounts.js";
import { assert, suite } from "../harness.js";

const test = suite("storage/killed");
const WRITER = fileURLToPath(new URL("./writer.js", import.meta.url));

interface Begun {
  readonly n: number;
  readonly gone: boolean;
}

/** Lets the writer go on for some lines after it is ready, kills it, and gives what it said. */
async function killedAfter(lines: number, folder: string, seed: number): Promise<readonly string[]> {
  const child = spawn(process.execPath, [WRITER, folder, String(seed)], { stdio: ["ignore", "pipe", "inherit"] });
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
  `every acknowledged write is there after each of ${ROUNDS} SIGKILLs`,
  async (t) => {
    const folder = await t.folder();
    const begun = new Map<string, Begun[]>();
    const sure = new Map<string, number>();
    let flushed = 0;
    let kept = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const lines = await killedAfter(1 + Math.floor(Math.random() * 400), folder, (round + 1) * 1_000_000);
      for (const line of lines) {
        const [what, nid = "", n, gone] = line.split(" ");
        if (what === "begin") begun.set(nid, [...(begun.get(nid) ?? []), { n: Number(n), gone: gone === "true" }]);
        else if (nid !== "") sure.set(nid, Number(n));
        if (what === "flushed") flushed++;
        if (what === "kept") kept++;
      }
      const opened = await openDataFolder(folder);
      const rows = await new LogJournal(opened.state).load("bridge");
      await opened.close();
      const found = new Map(rows.map(({ key, entry }) => [key.nid, JSON.parse(entry.options).n as number]));
      for (const [nid, all] of begun) {
        const last = sure.get(nid) ?? 0;
        const n = found.get(nid);
        // It, or one that was begun after it and had not been acknowledged yet.
        const fits = (one: Begun): boolean => one.n >= last && (one.gone ? n === undefined : n === one.n);
        if (!all.some(fits) && !(last === 0 && n === undefined))
          assert.unreachable(
            `round ${round}: ${nid} holds ${n}, and ${last} was acknowledged of ${JSON.stringify(all.slice(-4))}`,
          );
        // What is there now is what the next round begins with.
        const now = all.filter(fits);
        begun.set(nid, now);
        if (now.length > 0) sure.set(nid, Math.max(last, now[0]?.n ?? 0));
      }
      for (const nid of found.keys()) assert.ok(begun.has(nid), `round ${round}: ${nid} was never written`);
    }
    assert.ok(flushed > ROUNDS && kept > ROUNDS, `${flushed} flushed, ${kept} kept`);
    console.log(`${ROUNDS} SIGKILLs: ${flushed} flushed and ${kept} kept writes acknowledged, none lost`);
  },
  { ms: 600_000 },
);

test.run();
