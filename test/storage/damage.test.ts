/** Truncated and flipped copies of a data folder: opened with all of it, or refused with the file and the command that mends it. */

import { cp, readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openDataFolder } from "#dist/storage/folder.js";
import { LmdbJournal } from "#dist/storage/journal/lmdb-journal.js";
import { DAMAGED_FOLDERS as ROUNDS } from "../amounts.js";
import { cli } from "../cli/cli.js";
import { assert, type Rejection, suite, type TestContext } from "../harness.js";

const test = suite("storage/damage");
const NETWORKS = 300;

/** A folder that was filled over several runs, and closed. */
async function filled(t: TestContext): Promise<string> {
  const folder = join(await t.folder(), "data");
  for (let run = 0; run < 3; run++) {
    const opened = await openDataFolder(folder);
    const journal = new LmdbJournal(opened.state);
    for (let n = 0; n < NETWORKS; n += 20) {
      await Promise.all(
        Array.from({ length: 20 }, (_, at) =>
          journal.settle({
            key: { type: "bridge", nid: `n${n + at}` },
            entry: { phase: "live", options: JSON.stringify({ run, fill: "y".repeat((n * 7) % 500) }) },
          }),
        ),
      );
    }
    await opened.close();
  }
  return folder;
}

/** What opening it comes to. */
async function opening(folder: string): Promise<"whole" | Rejection> {
  try {
    const opened = await openDataFolder(folder);
    const rows = await new LmdbJournal(opened.state).load("bridge");
    await opened.close();
    assert.is(rows.length, NETWORKS);
    assert.ok(rows.every(({ entry }) => JSON.parse(entry.options).run === 2));
    return "whole";
  } catch (error) {
    return error as Rejection;
  }
}

function isToldOf(error: "whole" | Rejection, file: string, folder: string): void {
  if (error === "whole") return;
  assert.is(error.code, "ERR_JOURNAL_CORRUPT", error.stack ?? error.message);
  assert.ok(error.message.includes(join(folder, file)), error.message);
  assert.ok(error.message.includes(`bulkhead state --data-dir ${folder} --recover`), error.message);
}

test(
  "the state file, truncated anywhere or with a bit turned",
  async (t) => {
    const sound = await filled(t);
    const bytes = await readFile(join(sound, "state.mdb"));
    let refused = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const folder = join(await t.folder(), "data");
      await cp(sound, folder, { recursive: true });
      const file = join(folder, "state.mdb");
      const at = Math.floor(Math.random() * bytes.length);
      // The first pages are what all else hangs on: a third of the rounds are theirs.
      const where = round % 3 === 0 ? at % 8192 : at;
      if (round % 5 === 0) await truncate(file, round === 0 ? 0 : at);
      else {
        const turned = Buffer.from(bytes);
        turned[where] = (turned[where] ?? 0) ^ (1 << (round % 8));
        await writeFile(file, turned);
      }
      const outcome = await opening(folder);
      isToldOf(outcome, "state.mdb", folder);
      if (outcome !== "whole") refused++;
    }
    assert.ok(refused > 0, "no damage was seen at all");
  },
  { ms: 300_000 },
);

test("a state file that is gone, and one of an earlier day, are seen", async (t) => {
  const sound = await filled(t);
  const older = await readFile(join(sound, "state.mdb"));
  const opened = await openDataFolder(sound);
  await new LmdbJournal(opened.state).settle({
    key: { type: "bridge", nid: "late" },
    entry: { phase: "live", options: "{}" },
  });
  await opened.close();
  await writeFile(join(sound, "state.mdb"), older);
  const outcome = await opening(sound);
  assert.is.not(outcome, "whole");
  isToldOf(outcome, "state.mdb", sound);
});

test("the number of the last flush, and what is to be put in, are checked too", async (t) => {
  const sound = await filled(t);
  for (const [file, text] of [
    ["flushed", "000000000000001 00000000\n"],
    ["redo-1", 'deadbeef[9,["journal","",null]]\n'],
  ] as const) {
    const folder = join(await t.folder(), "data");
    await cp(sound, folder, { recursive: true });
    await writeFile(join(folder, file), text);
    const outcome = await opening(folder);
    assert.is.not(outcome, "whole", file);
    isToldOf(outcome, file, folder);
  }
});

test("a line that was being written at the kill is none; nobody was told of it", async (t) => {
  const folder = await filled(t);
  await writeFile(join(folder, "redo-2"), 'deadbeef[9,["journal","');
  assert.is(await opening(folder), "whole");
});

test("what can be read of a damaged file is put in its place by the command that the error names", async (t) => {
  const folder = await filled(t);
  const file = join(folder, "state.mdb");
  const bytes = await readFile(file);
  // One value, in every copy of it that the file holds.
  for (let at = bytes.indexOf('"n40"'); at >= 0; at = bytes.indexOf('"n40"', at + 1)) bytes[at + 1] = 0x6d;
  await writeFile(file, bytes);
  isToldOf(await opening(folder), "state.mdb", folder);
  const shown = await cli(["state", "--data-dir", folder, "--json"]);
  assert.is(shown.exit, 1);
  assert.is(shown.json().error?.code, "ERR_JOURNAL_CORRUPT");

  const ran = await cli(["state", "--data-dir", folder, "--recover", "--json"]);
  assert.is(ran.exit, 0, ran.out);
  const { problems, kept, journal } = ran.json() as unknown as { problems: string[]; kept: string; journal: unknown[] };
  assert.is(problems.length, 1);
  assert.is(journal.length, NETWORKS - 1);
  assert.equal(await readFile(join(kept, "state.mdb")), bytes);
  const opened = await openDataFolder(folder);
  t.cleanup(() => opened.close());
  const rows = await new LmdbJournal(opened.state).load("bridge");
  assert.is(rows.length, NETWORKS - 1);
});

test.run();
