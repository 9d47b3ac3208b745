/** A data folder that a version with lmdb wrote: taken over whole, its files kept aside, or refused and left as it is. */
import { execFile } from "node:child_process";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { openDataFolder } from "#dist/storage/folder.js";
import { LogJournal } from "#dist/storage/journal/log-journal.js";
import { LogStore } from "#dist/storage/log-store.js";
import { cli } from "../cli/cli.js";
import { assert, rejection, suite, type TestContext } from "../harness.js";

const test = suite("storage/legacy");
const WRITER = fileURLToPath(new URL("./legacy-writer.js", import.meta.url));
const NETWORKS = 30;

async function written(t: TestContext): Promise<string> {
  const folder = join(await t.folder(), "data");
  await mkdir(folder, { mode: 0o700 });
  await promisify(execFile)(process.execPath, [WRITER, folder, String(NETWORKS)]);
  return folder;
}

test("every row is there, the id is the same, and the old files are aside until a checkpoint", async (t) => {
  const folder = await written(t);
  const state = await readFile(join(folder, "state.mdb"));
  const opened = await openDataFolder(folder);
  assert.is(opened.id, "dfeed");
  const nids = (await new LogJournal(opened.state).load("bridge")).map(({ key }) => key.nid).sort();
  assert.equal(nids, [...Array.from({ length: NETWORKS }, (_, at) => `n${at}`), "late"].sort());
  assert.is(await new LogStore(opened.state).get("plugin", "key"), '"value"');
  assert.equal(await readFile(join(folder, "before-log", "state.mdb")), state);
  assert.not((await readdir(folder)).includes("state.mdb"));
  for (let n = 0; n < 80; n++) await opened.state.put("store", Buffer.from("filler"), "x".repeat(65_536));
  await opened.close();
  const names = await readdir(folder);
  assert.ok(names.includes("checkpoint.000002") && !names.includes("before-log"), String(names));
  const again = await openDataFolder(folder);
  t.cleanup(() => again.close());
  assert.is((await new LogJournal(again.state).load("bridge")).length, NETWORKS + 1);
});

test("an interruption after the log is in its place: the rest is done at the next opening", async (t) => {
  const folder = await written(t);
  const state = await readFile(join(folder, "state.mdb"));
  await (await openDataFolder(folder)).close();
  await writeFile(join(folder, "state.mdb"), state);
  const opened = await openDataFolder(folder);
  t.cleanup(() => opened.close());
  assert.is((await new LogJournal(opened.state).load("bridge")).length, NETWORKS + 1);
  assert.not((await readdir(folder)).includes("state.mdb"));
});

test("a damaged one is refused and left as it is; recovered, it is a log", async (t) => {
  const folder = await written(t);
  const file = join(folder, "state.mdb");
  const bytes = await readFile(file);
  for (let at = bytes.indexOf('"n4"'); at >= 0; at = bytes.indexOf('"n4"', at + 1)) bytes[at + 1] = 0x6d;
  await writeFile(file, bytes);
  const { code, message } = await rejection(openDataFolder(folder));
  assert.is(code, "ERR_JOURNAL_CORRUPT");
  assert.ok(message.includes(file), message);
  assert.equal(await readFile(file), bytes);
  const ran = await cli(["state", "--data-dir", folder, "--recover", "--yes", "--json"]);
  assert.is(ran.exit, 0, ran.out);
  const { kept } = ran.json() as unknown as { kept: string };
  assert.equal(await readFile(join(kept, "state.mdb")), bytes);
  const opened = await openDataFolder(folder);
  t.cleanup(() => opened.close());
  assert.is((await new LogJournal(opened.state).load("bridge")).length, NETWORKS);
});

test.run();
