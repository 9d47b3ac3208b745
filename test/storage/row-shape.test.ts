/** Rows that are not of their table's form, or no longer: they are damage, and never handed on. */
import { LogBundleStore } from "#dist/storage/bundle-store.js";
import { LogJournal } from "#dist/storage/journal/log-journal.js";
import { LogLedger } from "#dist/storage/log-ledger.js";
import { statePaths } from "#dist/storage/paths.js";
import { StateFile } from "#dist/storage/state-file.js";
import { assert, rejection, suite } from "../harness.js";
import { SimulatedDisk } from "./simulated-disk.js";

const test = suite("storage/row-shape");

async function opened(): Promise<{ readonly disk: SimulatedDisk; readonly state: StateFile }> {
  const disk = new SimulatedDisk();
  return { disk, state: await StateFile.open(statePaths("/simulated"), "boot", disk) };
}

const ENTRY = { phase: "live", options: {} };
const RECORDS: readonly unknown[] = [
  ["net", 7, null, false, ENTRY],
  ["net", "n", 7, false, ENTRY],
  ["net", "n", null, null, ENTRY],
  ["net", "n", null, false],
  ["net", "n", null, false, null],
  ["net", "n", null, false, { ...ENTRY, phase: "gone" }],
  ["net", "n", null, false, { ...ENTRY, options: [] }],
  ["net", "n", "e", false, { ...ENTRY, interfaces: [null] }],
];

for (const record of RECORDS)
  test(`a journal row that is ${JSON.stringify(record)}`, async () => {
    const { state } = await opened();
    await state.put("journal", Buffer.from("key"), JSON.stringify(record));
    const error = await rejection(new LogJournal(state).load("net"));
    assert.is(error.code, "ERR_JOURNAL_CORRUPT");
    assert.match(error.message, "table journal");
    await state.close();
  });

test("links, rules and bundles", async () => {
  const { state } = await opened();
  for (const table of ["links", "rules"] as const) {
    await state.put(table, Buffer.from("key"), JSON.stringify({ name: 1 }));
    assert.is((await rejection(new LogLedger(state, table, "id").load())).code, "ERR_JOURNAL_CORRUPT");
  }
  await state.put("bundles", Buffer.from("net"), JSON.stringify({ id: "net", code: "", sourceMap: "", sha256: "" }));
  const bundles = new LogBundleStore(state, new LogJournal(state));
  assert.is((await rejection(bundles.get("net"))).code, "ERR_JOURNAL_CORRUPT");
  await state.close();
});

test("a bit that turns under a running host", async () => {
  const { disk, state } = await opened();
  const bundle = { id: "net", code: "code", sourceMap: "", sha256: "", types: [] };
  await state.put("bundles", Buffer.from("net"), JSON.stringify(bundle));
  const bundles = new LogBundleStore(state, new LogJournal(state));
  assert.equal(await bundles.get("net"), bundle);
  const log = disk.open("log.000001", "read");
  disk.turn(log.name, log.read(0, log.size).indexOf('"types"') + 1);
  assert.is((await rejection(bundles.get("net"))).code, "ERR_JOURNAL_CORRUPT");
  await state.close();
});

test.run();
