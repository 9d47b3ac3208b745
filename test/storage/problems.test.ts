/** A disk that fails under a running host: what is told, what goes on, and that service returns. */
import { LogJournal } from "#dist/storage/journal/log-journal.js";
import { statePaths } from "#dist/storage/paths.js";
import type { StorageProblem } from "#dist/storage/problems.js";
import { StateFile } from "#dist/storage/state-file.js";
import { assert, rejection, suite, until } from "../harness.js";
import { SimulatedDisk } from "./simulated-disk.js";

const test = suite("storage/problems");
const PATHS = statePaths("/simulated");

interface Running {
  readonly disk: SimulatedDisk;
  readonly state: StateFile;
  readonly told: StorageProblem[];
}

async function running(): Promise<Running> {
  const disk = new SimulatedDisk();
  const state = await StateFile.open(PATHS, "boot", disk);
  const told: StorageProblem[] = [];
  state.problems.listen((problem) => void told.push(problem));
  return { disk, state, told };
}

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: the disk says no`), { code });
}

/** Writes until the log goes on to another generation, or `done`. */
async function write(state: StateFile, done: () => boolean): Promise<void> {
  for (let n = 0; n < 100 && !done(); n++)
    await state.put("store", Buffer.from(`filler-${n % 4}`), `${n}${"x".repeat(65_536)}`);
  await until(done, "a rotation");
}

const kinds = (told: readonly StorageProblem[]): readonly string[] =>
  told.map(({ kind, code, over }) => `${kind} ${code}${over ? " over" : ""}`);

test("a log that cannot be begun is told of once, and so is its end", async () => {
  const { disk, state, told } = await running();
  let tried = 0;
  disk.fault = (name) => {
    if (name !== "log.000002") return;
    tried++;
    throw systemError("EMFILE");
  };
  await write(state, () => tried > 0);
  assert.equal(kinds(told), ["checkpoint EMFILE"]);
  // It is tried again no sooner than a second later.
  await until(async () => {
    await state.put("store", Buffer.from("one"), `${Date.now()}`);
    return tried > 1;
  }, "another try");
  assert.equal(kinds(told), ["checkpoint EMFILE"]);
  disk.fault = () => {};
  await until(async () => {
    await state.put("store", Buffer.from("one"), `${Date.now()}`);
    return told.length > 1;
  }, "a rotation");
  assert.equal(kinds(told), ["checkpoint EMFILE", "checkpoint EMFILE over"]);
  await state.close();
});

test("a bit that turns in a log before it is copied never gets a valid checksum", async () => {
  const { disk, state, told } = await running();
  await state.put("store", Buffer.from("old"), "the value");
  const log = disk.open("log.000001", "read");
  disk.turn("log.000001", log.read(0, log.size).indexOf("the value") + 2);
  await write(state, () => told.length > 0);
  assert.match(told[0]?.reason ?? "", /^log\.000001: the bytes at offset \d+ fail their checksum$/);
  assert.not(disk.list().includes("checkpoint.000002"), String(disk.list()));
  await state.close();
  const left = await rejection(StateFile.open(PATHS, "boot", disk));
  assert.is(left.code, "ERR_JOURNAL_CORRUPT");
});

test("a used-up quota is told as that, not by the file system's free bytes", async () => {
  const { disk, state, told } = await running();
  disk.free = () => 2 ** 30;
  disk.fault = (name, end) => {
    // As Node gives it, which has no name for it.
    if (end > disk.open(name, "read").size) throw Object.assign(systemError("UNKNOWN"), { errno: -122 });
  };
  let refused: Error | undefined;
  for (let n = 0; n < 20 && refused === undefined; n++) {
    try {
      state.admit(60_000);
      await state.put("store", Buffer.from(`k${n}`), "x".repeat(60_000));
    } catch (error) {
      refused = error as Error;
    }
  }
  assert.match(refused?.message ?? "", /the quota of this account or folder is used up, and \d+ bytes are needed/);
  assert.not.match(refused?.message ?? "", /bytes free/);
  assert.equal(kinds(told), ["full ERR_STORAGE_FULL"]);
  await state.close();
});

test("when even the reserve is used up, writes wait in order, and service returns with the room", async () => {
  const { disk, state, told } = await running();
  const journal = new LogJournal(state);
  const create = (nid: string): Promise<void> => {
    const key = { type: "bridge", nid };
    journal.intend({ key, entry: { phase: "creating", options: "{}" } });
    journal.commit();
    return journal.settle({ key, entry: { phase: "live", options: "{}" } });
  };
  await create("kept");
  disk.fault = (name, end) => {
    if (end > disk.open(name, "read").size) throw systemError("ENOSPC");
  };
  let refused: { code?: string } | undefined;
  for (let n = 0; n < 40 && !refused; n++)
    await state.put("store", Buffer.from("filler"), `${n}${"x".repeat(30_000)}`).catch((error) => {
      refused = error;
    });
  assert.is(refused?.code, "ERR_STORAGE_FULL");
  assert.is((await rejection(state.put("store", Buffer.from("last"), "1"))).code, "ERR_STORAGE_FULL");
  assert.equal(kinds(told), ["full ERR_STORAGE_FULL"]);
  disk.fault = () => {};
  await create("late");
  assert.is(state.get("store", Buffer.from("last")), "1", "what waited is written first");
  assert.equal(kinds(told), ["full ERR_STORAGE_FULL", "full ERR_STORAGE_FULL over"]);
  await state.close();
  const again = await StateFile.open(PATHS, "boot", disk);
  const nids = (await new LogJournal(again).load("bridge")).map(({ key }) => key.nid).sort();
  assert.equal(nids, ["kept", "late"]);
  await again.close();
});

test("a write that the disk refuses is final, and told of", async () => {
  const { disk, state, told } = await running();
  disk.fault = () => {
    throw systemError("EIO");
  };
  assert.is((await rejection(state.put("store", Buffer.from("k"), "1"))).code, "ERR_JOURNAL_FAILED");
  disk.fault = () => {};
  assert.is((await rejection(state.put("store", Buffer.from("k"), "2"))).code, "ERR_JOURNAL_FAILED");
  assert.equal(kinds(told), ["failed ERR_JOURNAL_FAILED"]);
  await state.close();
});

test("a problem that began before anybody listens is told of then", async () => {
  const disk = new SimulatedDisk();
  const state = await StateFile.open(PATHS, "boot", disk);
  disk.fault = () => {
    throw systemError("EIO");
  };
  await state.put("store", Buffer.from("k"), "1").catch(() => {});
  const told: StorageProblem[] = [];
  state.problems.listen((problem) => void told.push(problem));
  assert.equal(kinds(told), ["failed ERR_JOURNAL_FAILED"]);
  await state.close();
});

test.run();
