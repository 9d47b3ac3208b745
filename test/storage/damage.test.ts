/** Turned bits and cut files: a data folder opens with all of it, or is refused with the file, the place and the command that mends it. */
import { cp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ABOUT_KEY } from "#dist/storage/about.js";
import { openDataFolder } from "#dist/storage/folder.js";
import { inspectFolder, recover } from "#dist/storage/inspect.js";
import { LogJournal } from "#dist/storage/journal/log-journal.js";
import { encodeFrame } from "#dist/storage/log/frame.js";
import { BOOT_KEY } from "#dist/storage/open-log.js";
import { statePaths } from "#dist/storage/paths.js";
import { StateFile } from "#dist/storage/state-file.js";
import { FULL } from "../amounts.js";
import { cli } from "../cli/cli.js";
import { assert, type Rejection, rejection, suite, type TestContext } from "../harness.js";
import { SimulatedDisk } from "./simulated-disk.js";

const test = suite("storage/damage");
const NETWORKS = 40;
const LOG = "log.000001";

async function settle(folder: string, nids: readonly string[], fill = ""): Promise<void> {
  const opened = await openDataFolder(folder);
  const journal = new LogJournal(opened.state);
  await Promise.all(
    nids.map((nid) =>
      journal.settle({ key: { type: "bridge", nid }, entry: { phase: "live", options: JSON.stringify({ fill }) } }),
    ),
  );
  await opened.close();
}

/** A folder that was filled over several runs, and closed. */
async function filled(t: TestContext): Promise<string> {
  const folder = join(await t.folder(), "data");
  for (let n = 0; n < NETWORKS; n += 10)
    await settle(
      folder,
      Array.from({ length: 10 }, (_, at) => `n${n + at}`),
    );
  return folder;
}

/** The result of opening it. */
async function opening(folder: string): Promise<"whole" | Rejection> {
  try {
    const opened = await openDataFolder(folder);
    const rows = await new LogJournal(opened.state).load("bridge");
    await opened.close();
    assert.is(rows.length, NETWORKS);
    return "whole";
  } catch (error) {
    return error as Rejection;
  }
}

function isToldOf(error: "whole" | Rejection, file: string, folder: string): void {
  if (error === "whole") assert.unreachable(`${file}: no damage was seen`);
  else {
    assert.is(error.code, "ERR_JOURNAL_CORRUPT", error.stack ?? error.message);
    assert.ok(error.message.includes(join(folder, file)), error.message);
    assert.ok(error.message.includes(`bulkhead state --data-dir ${folder} --recover`), error.message);
  }
}

/** The files of a small state with two generations, as one open host leaves them, and its rows. */
async function small(): Promise<{
  readonly files: Record<string, Buffer>;
  readonly rows: ReadonlyMap<string, string>;
}> {
  const disk = new SimulatedDisk();
  const state = await StateFile.open(statePaths("/simulated"), "boot", disk);
  await state.put("meta", BOOT_KEY, JSON.stringify("boot"));
  // Half a mebibyte of values that are gone again makes the log go on to a second generation.
  const filler = { table: "store", key: Buffer.from("filler") } as const;
  state.log([
    ...Array.from({ length: 9 }, () => ({ ...filler, body: "x".repeat(65_536) })),
    { ...filler, body: undefined },
  ]);
  await state.put("store", Buffer.from("small"), "small");
  const rows = new Map<string, string>();
  for (let n = 0; n < 8; n++) {
    rows.set(`k${n}`, `value ${n}`);
    await state.put("journal", Buffer.from(`k${n}`), `value ${n}`);
  }
  await state.close();
  return { files: Object.fromEntries(disk.list().map((name) => [name, contentOf(disk, name)])), rows };
}

function contentOf(disk: SimulatedDisk, name: string): Buffer {
  const file = disk.open(name, "read");
  return file.read(0, file.size);
}

/** Where a file's last byte that is not zero lies. */
function usedOf(bytes: Buffer): number {
  return bytes.findLastIndex((byte) => byte !== 0) + 1;
}

async function openedOr(
  files: Record<string, Buffer>,
  rows: ReadonlyMap<string, string>,
  what: string,
): Promise<"whole" | string> {
  let state: StateFile;
  try {
    state = await StateFile.open(statePaths("/simulated"), "boot", SimulatedDisk.of(files));
  } catch (error) {
    const { code, message } = error as Rejection;
    assert.is(code, "ERR_JOURNAL_CORRUPT", `${what}: ${(error as Error).stack}`);
    return message;
  }
  const found = new Map((await state.rows("journal")).map(({ key, body }) => [key.toString(), body]));
  assert.equal(found, rows, what);
  await state.close();
  return "whole";
}

test(
  "a bit turned at any offset of checkpoint, log and witness: whole, or refused by file",
  async () => {
    const { files, rows } = await small();
    assert.ok(Object.keys(files).includes("checkpoint.000002"), `no second generation: ${Object.keys(files)}`);
    let [refused, turnedBits] = [0, 0];
    for (const [name, bytes] of Object.entries(files)) {
      const used = usedOf(bytes);
      assert.ok(used < 20_000, `${name} is not small: ${used}`);
      for (let at = 0; at < used + 64 && at < bytes.length; at += FULL || at < 2048 || at > used - 64 ? 1 : 5) {
        for (const bit of FULL ? [0, 1, 2, 3, 4, 5, 6, 7] : [at % 8]) {
          turnedBits++;
          const turned = Buffer.from(bytes);
          turned[at] = (turned[at] as number) ^ (1 << bit);
          const outcome = await openedOr({ ...files, [name]: turned }, rows, `${name} at ${at}`);
          if (outcome === "whole") {
            assert.ok(at >= used || name === "flushed", `${name} at ${at}: a turned bit was not seen`);
            continue;
          }
          refused++;
          assert.ok(outcome.includes(name) || outcome.includes("log.000002"), `${name} at ${at}: ${outcome}`);
        }
      }
    }
    assert.ok(refused > 500, `${refused} were refused`);
    console.log(`${turnedBits} turned bits, ${refused} refused, none unseen`);
  },
  { ms: 300_000 },
);

test(
  "a file cut at any offset: whole, or refused",
  async () => {
    const { files, rows } = await small();
    for (const [name, bytes] of Object.entries(files)) {
      if (name === "flushed") continue;
      const used = usedOf(bytes);
      for (let at = 0; at < used; at += FULL ? 1 : 7) {
        const outcome = await openedOr({ ...files, [name]: bytes.subarray(0, at) }, rows, `${name} cut at ${at}`);
        assert.is.not(outcome, "whole", `${name} cut at ${at}`);
      }
      const whole = { ...files, [name]: name.startsWith("log") ? bytes.subarray(0, used) : bytes };
      assert.is(await openedOr(whole, rows, `${name} without its space`), "whole");
    }
  },
  { ms: 300_000 },
);

test("a log that is gone, one of an earlier day, and a wrong witness are seen", async (t) => {
  const folder = await filled(t);
  const older = await readFile(join(folder, LOG));
  await settle(folder, ["n0"], "later");
  const copy = async (): Promise<string> => {
    const to = join(await t.folder(), "data");
    await cp(folder, to, { recursive: true });
    return to;
  };
  const [early, gone, witness] = [await copy(), await copy(), await copy()];
  await writeFile(join(early, LOG), older);
  isToldOf(await opening(early), LOG, early);
  await rm(join(gone, LOG));
  isToldOf(await opening(gone), LOG, gone);
  await writeFile(join(witness, "flushed"), "000000000000001 00000000\n");
  isToldOf(await opening(witness), "flushed", witness);
});

test("a frame that was being written at the kill is dropped; nobody was told of it", async (t) => {
  const folder = await filled(t);
  const bytes = await readFile(join(folder, LOG));
  const used = usedOf(bytes);
  bytes.copy(bytes, used, 64, 64 + 40);
  await writeFile(join(folder, LOG), bytes);
  assert.is(await opening(folder), "whole");
  const again = await readFile(join(folder, LOG));
  assert.is(usedOf(again), used, "what was torn is overwritten");
});

test("the space behind the last frame may be missing", async (t) => {
  const folder = await filled(t);
  const file = join(folder, LOG);
  await truncate(file, usedOf(await readFile(file)));
  assert.is(await opening(folder), "whole");
});

test("recovery asks before it loses rows, keeps the damaged files, and leaves a folder that opens", async (t) => {
  const folder = await filled(t);
  const file = join(folder, LOG);
  const bytes = await readFile(file);
  const at = bytes.indexOf('"n15"');
  bytes[at + 1] = 0x6d;
  await writeFile(file, bytes);
  isToldOf(await opening(folder), LOG, folder);
  const shown = await cli(["state", "--data-dir", folder, "--json"]);
  assert.is(shown.exit, 1);
  assert.is(shown.json().error?.code, "ERR_JOURNAL_CORRUPT");
  assert.match(shown.json().error?.message ?? "", /log\.000001: the bytes at offset \d+ fail their checksum/);

  const asked = await cli(["state", "--data-dir", folder, "--recover", "--json"]);
  assert.is(asked.exit, 1);
  assert.match(asked.json().error?.message ?? "", /rows may be lost: .* Nothing was changed; .*--recover --yes/);
  assert.equal(await readFile(file), bytes);

  const ran = await cli(["state", "--data-dir", folder, "--recover", "--yes", "--json"]);
  assert.is(ran.exit, 0, ran.out);
  const { kept, journal } = ran.json() as unknown as { kept: string; journal: unknown[] };
  // All rows of the damaged frame are gone: they were written together.
  assert.is(journal.length, NETWORKS - 10);
  assert.equal(await readFile(join(kept, LOG)), bytes);
  assert.not((await readdir(folder)).includes(LOG));
  const opened = await openDataFolder(folder);
  t.cleanup(() => opened.close());
  assert.is((await new LogJournal(opened.state).load("bridge")).length, NETWORKS - 10);
});

test("recovery reads a file whose head is gone, by its first frame", async (t) => {
  for (const zeroed of [128, 60]) {
    const folder = await filled(t);
    const file = join(folder, LOG);
    const bytes = await readFile(file);
    // Of 60 bytes, the first copy is gone, and a bit of the second is turned too.
    bytes.fill(0, 0, zeroed);
    bytes[66] = (bytes[66] as number) ^ 1;
    await writeFile(file, bytes);
    isToldOf(await opening(folder), LOG, folder);
    const ran = await cli(["state", "--data-dir", folder, "--recover", "--yes", "--json"]);
    assert.is(ran.exit, 0, ran.out);
    assert.is((ran.json() as unknown as { journal: unknown[] }).journal.length, NETWORKS, `${zeroed} bytes`);
    assert.is(await opening(folder), "whole", `${zeroed} bytes`);
  }
});

test("what only the number of the last flush shows is recovered too", async (t) => {
  for (const damage of ["cut", "witness"] as const) {
    const folder = await filled(t);
    const file = join(folder, LOG);
    if (damage === "witness") await writeFile(join(folder, "flushed"), "000000000000001 00000000\n");
    else await truncate(file, usedOf(await readFile(file)) - 30);
    assert.is.not(await opening(folder), "whole", damage);
    const asked = await cli(["state", "--data-dir", folder, "--recover", "--json"]);
    assert.match(asked.json().error?.message ?? "", /rows may be lost/, damage);
    assert.is((await cli(["state", "--data-dir", folder, "--recover", "--yes", "--json"])).exit, 0, damage);
    await (await openDataFolder(folder)).close();
  }
});

test("after many generations one checkpoint and one log are left", async (t) => {
  const folder = join(await t.folder(), "data");
  const opened = await openDataFolder(folder);
  for (let n = 0; n < 400; n++) await opened.state.put("store", Buffer.from("filler"), "x".repeat(65_536));
  await opened.close();
  const files = (await readdir(folder)).filter((name) => /^(log|checkpoint)/.test(name));
  assert.is(files.length, 2, String(files));
  assert.not(files.includes("log.000002"), String(files));
});

test("a frame in a plugin's key is not read as one", async () => {
  const forged = Buffer.from(encodeFrame([{ table: "meta", key: Buffer.from("forged"), body: "1" }], 9, 1 << 30, 0));
  const disk = new SimulatedDisk();
  const state = await StateFile.open(statePaths("/simulated"), "boot", disk);
  await state.put("meta", BOOT_KEY, JSON.stringify("boot"));
  await state.put("store", Buffer.concat([Buffer.from("plugin"), forged]), "2");
  await state.close();
  const log = contentOf(disk, LOG);
  const at = log.indexOf(forged);
  // Torn: the frame around it is not intact, and nothing follows.
  log[at - 4] = (log[at - 4] as number) ^ 1;
  const left = SimulatedDisk.of({ [LOG]: log });
  const again = await StateFile.open(statePaths("/simulated"), "another boot", left);
  assert.equal(
    (await again.rows("meta")).map(({ key }) => key.toString()),
    [BOOT_KEY.toString()],
  );
  await again.close();
});

const recoverAll = (folder: string): Promise<unknown> => recover(folder, true);

for (const format of [0, 7]) {
  test(`a file in format ${format} is not damage: it is neither opened, nor shown, nor recovered`, async (t) => {
    const folder = await filled(t);
    const file = join(folder, LOG);
    const text = await readFile(file, "latin1");
    const other = text.replaceAll("bulkhead log 1 ", `bulkhead log ${format} `);
    await writeFile(file, other, "latin1");
    for (const use of [openDataFolder, inspectFolder, recoverAll]) {
      const { code, message } = await rejection(use(folder));
      assert.is(code, "ERR_DATA_DIR");
      assert.match(message, `was written in format ${format}, by another version`);
    }
    assert.is(await readFile(file, "latin1"), other);
  });
}

test("rows of another version are neither opened, nor shown, nor recovered", async (t) => {
  const folder = await filled(t);
  const open = await openDataFolder(folder);
  await open.state.put("meta", ABOUT_KEY, JSON.stringify({ version: 2, id: open.id }));
  await open.close();
  for (const use of [openDataFolder, inspectFolder, recoverAll]) {
    const { code, message } = await rejection(use(folder));
    assert.is(code, "ERR_DATA_DIR");
    assert.match(message, "format version 2, and this Bulkhead reads 1");
  }
});

test("recovery of a sound folder changes nothing", async (t) => {
  const folder = await filled(t);
  const before = await readFile(join(folder, LOG));
  const ran = await cli(["state", "--data-dir", folder, "--recover", "--json"]);
  assert.is(ran.exit, 0, ran.out);
  assert.equal(await readFile(join(folder, LOG)), before);
  assert.is((await rejection(openDataFolder(join(folder, LOG)))).code, "ERR_DATA_DIR");
});

test.run();
