/** The intent to delete: small on the disk, whatever the record's options; it lasts, and is withdrawn when the driver refuses. */
import { join } from "node:path";
import { Records } from "#dist/host/calls/records.js";
import { openDataFolder } from "#dist/storage/folder.js";
import { LogJournal } from "#dist/storage/journal/log-journal.js";
import { BOOT_KEY } from "#dist/storage/open-log.js";
import { statePaths } from "#dist/storage/paths.js";
import { StateFile } from "#dist/storage/state-file.js";
import { cli } from "../cli/cli.js";
import { assert, suite } from "../harness.js";
import { SimulatedDisk } from "./simulated-disk.js";

const test = suite("storage/deletions");
const PATHS = statePaths("/simulated");
const OPTIONS = JSON.stringify({ fill: "x".repeat(50_000) });

/** A network with an endpoint that has joined and published a port, all with large options. */
async function recordsIn(state: StateFile): Promise<Records> {
  const records = new Records("bridge", new LogJournal(state));
  await records.load();
  return records;
}

async function fill(records: Records): Promise<void> {
  records.createNetwork("n", OPTIONS);
  await records.markNetwork("n", "live");
  records.createEndpoint("n", "e", OPTIONS, []);
  await records.markEndpoint("n", "e", "live", []);
  records.createJoin("n", "e", "box", OPTIONS);
  await records.markJoin("n", "e", "live", undefined);
  await records.setExternal("n", "e", { phase: "live", options: OPTIONS });
}

async function intendAll(records: Records): Promise<void> {
  await records.setExternal("n", "e", { phase: "deleting", options: OPTIONS });
  await records.markJoin("n", "e", "deleting");
  await records.markEndpoint("n", "e", "deleting");
  await records.markNetwork("n", "deleting");
}

function phases(records: Records): readonly (string | undefined)[] {
  const { phase, join: joined, external } = records.endpoint("n", "e");
  return [records.network("n").phase, phase, joined?.phase, external?.phase];
}

const bytesOf = (disk: SimulatedDisk): number =>
  disk.operations.reduce(
    (sum, one) => sum + (one.kind === "write" && one.bytes.length < 262_144 ? one.bytes.length : 0),
    0,
  );

test("an intent to delete needs a few hundred bytes, and lasts until it is withdrawn or carried out", async () => {
  const disk = new SimulatedDisk();
  let state = await StateFile.open(PATHS, "boot", disk);
  let records = await recordsIn(state);
  await fill(records);
  const reopen = async (): Promise<void> => {
    await state.close();
    state = await StateFile.open(PATHS, "boot", disk);
    records = await recordsIn(state);
  };
  let before = bytesOf(disk);
  await intendAll(records);
  await intendAll(records);
  await reopen();
  assert.ok(bytesOf(disk) - before < 2000, `four intents, twice: ${bytesOf(disk) - before} bytes`);
  assert.equal(phases(records), ["deleting", "deleting", "deleting", "deleting"]);
  assert.is(records.network("n").options, OPTIONS);

  before = bytesOf(disk);
  await records.markNetwork("n", "live");
  await records.markEndpoint("n", "e", "live");
  await records.markJoin("n", "e", "live");
  await records.setExternal("n", "e", { phase: "live", options: OPTIONS });
  await reopen();
  assert.ok(bytesOf(disk) - before < 2000, `four withdrawals: ${bytesOf(disk) - before} bytes`);
  assert.equal(phases(records), ["live", "live", "live", "live"]);
  assert.is(records.endpoint("n", "e").join?.options, OPTIONS);

  await intendAll(records);
  await reopen();
  await records.dropJoin("n", "e");
  await records.dropEndpoint("n", "e");
  await records.dropNetwork("n");
  assert.equal(await state.rows("journal"), [], "no mark is left");
  await fill(records);
  await reopen();
  assert.equal(phases(records), ["live", "live", "live", "live"], "the same ids again");
  await state.close();
});

test("an intent to delete is kept with what else is written of a record", async () => {
  const disk = new SimulatedDisk();
  const state = await StateFile.open(PATHS, "boot", disk);
  const records = await recordsIn(state);
  await fill(records);
  await records.markNetwork("n", "deleting");
  records.setKills(records.network("n"), 2);
  await records.markNetwork("n", "live");
  const again = await recordsIn(state);
  assert.equal([again.network("n").phase, again.network("n").kills], ["live", 2]);
  await state.close();
});

test("after a reboot joins are gone with their marks, and an endpoint's intent is kept; `state` shows its phase", async (t) => {
  const folder = join(await t.folder(), "data");
  const first = await openDataFolder(folder);
  const records = await recordsIn(first.state);
  await fill(records);
  await intendAll(records);
  await first.state.put("meta", BOOT_KEY, JSON.stringify("an earlier boot"));
  await first.close();
  const shown = await cli(["state", "--data-dir", folder, "--json"]);
  const { journal } = shown.json() as unknown as { journal: readonly { phase: string }[] };
  assert.equal(
    journal.map(({ phase }) => phase),
    Array(4).fill("deleting"),
  );
  const opened = await openDataFolder(folder);
  t.cleanup(() => opened.close());
  const after = await recordsIn(opened.state);
  assert.equal(phases(after), ["deleting", "deleting", undefined, undefined]);
  assert.is((await opened.state.rows("journal")).length, 4, "two rows and their marks");
});

test.run();
