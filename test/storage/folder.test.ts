/** A data folder: what is written is there for the next host, one host at a time, and a folder that cannot be used is refused. */
import { stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { Records } from "#dist/host/calls/records.js";
import { openDataFolder } from "#dist/storage/folder.js";
import type { Journal, JournalWrite } from "#dist/storage/journal/journal.js";
import { LogJournal } from "#dist/storage/journal/log-journal.js";
import { LogLedger } from "#dist/storage/log-ledger.js";
import { LogStore } from "#dist/storage/log-store.js";
import { assert, rejection, suite } from "../harness.js";
import { MemoryJournal } from "../kit/memory-journal.js";

const test = suite("storage/folder");

const id = fc.oneof(fc.constantFrom("n", "n1", "1:n", "0"), fc.string({ minLength: 1, maxLength: 64, unit: "binary" }));
const step = fc.record({
  settles: fc.boolean(),
  type: fc.constantFrom("bridge", "bridg"),
  nid: id,
  eid: fc.option(id, { nil: undefined }),
  part: fc.constantFrom({}, { join: true as const }, { external: true as const }),
  gone: fc.boolean(),
  phase: fc.constantFrom("creating" as const, "live" as const, "deleting" as const),
  mtu: fc.integer(),
});

async function everything(journal: Journal): Promise<readonly string[]> {
  const types = [...(await journal.types())].sort();
  const rows = await Promise.all(types.map((type) => journal.load(type)));
  return [JSON.stringify(types), ...rows.flat().map(({ key, entry }) => JSON.stringify([key, entry]))].sort();
}

test(
  "the journal holds what one in memory holds, before and after it is opened again",
  async (t) => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const folder = await t.folder();
        const opened = await openDataFolder(folder);
        const [model, real] = [new MemoryJournal(), new LogJournal(opened.state)];
        for (const { settles, type, nid, eid, part, gone, phase, mtu } of steps) {
          const key = { type, nid, ...(eid === undefined ? {} : { eid, ...part }) };
          const write: JournalWrite = { key, entry: gone ? undefined : { phase, options: JSON.stringify({ mtu }) } };
          if (settles) await Promise.all([model.settle(write), real.settle(write)]);
          else await Promise.all([model.intend(write), real.intend(write)]);
        }
        const wanted = await everything(model);
        assert.equal(await everything(real), wanted);
        await opened.close();
        const again = await openDataFolder(folder);
        const after = await everything(new LogJournal(again.state));
        await again.close();
        assert.equal(after, wanted);
      }),
      { numRuns: 12 },
    );
  },
  { ms: 60_000 },
);

test("a journal written before external connectivity was recorded loads as it is, and a later one beside it", async (t) => {
  const opened = await openDataFolder(await t.folder());
  t.cleanup(() => opened.close());
  const key = (text: string): Buffer => Buffer.from(text, "utf16le");
  const old = {
    "6:bridge1:n": '["bridge","n",null,false,{"phase":"live","options":{}}]',
    "6:bridge1:n1:ee": '["bridge","n","e",false,{"phase":"live","interfaces":[],"options":{}}]',
    "6:bridge1:n1:ej": '["bridge","n","e",true,{"phase":"live","sboxKey":"box","options":{}}]',
  };
  for (const [at, body] of Object.entries(old)) await opened.state.put("journal", key(at), body);
  const journal = new LogJournal(opened.state);
  const endpoint = { type: "bridge", nid: "n", eid: "e" };
  await journal.settle({ key: { ...endpoint, external: true }, entry: { phase: "live", options: '{"port":80}' } });
  const records = new Records("bridge", journal);
  await records.load();
  const found = records.endpoint("n", "e");
  assert.is(found.join?.sboxKey, "box");
  assert.equal(found.external, { phase: "live", options: '{"port":80}' });
  await records.dropEndpoint("n", "e");
  assert.equal(
    (await journal.load("bridge")).filter((row) => row.key.external).length,
    0,
    "what was programmed goes with its endpoint",
  );
});

test("stores keep their namespaces apart, and ledgers their id, across openings", async (t) => {
  const path = await t.folder();
  const first = await openDataFolder(path);
  const store = new LogStore(first.state);
  await store.set("a", "key\u{10ffff}", '{"x":1}');
  await store.set("ab", "key", "2");
  await store.set("a", "gone", "3");
  await store.delete("a", "gone");
  const ledger = new LogLedger<{ readonly name: string; readonly n: number }>(first.state, "links", first.id);
  await ledger.write([{ put: { name: "bh-1", n: 1 } }, { put: { name: "bh-2", n: 2 } }, { drop: "bh-1" }]);
  await first.close();

  const second = await openDataFolder(path);
  t.cleanup(() => second.close());
  const again = new LogStore(second.state);
  assert.equal(await again.entries("a"), [{ key: "key\u{10ffff}", bytes: 7 }]);
  assert.is(await again.get("ab", "key"), "2");
  assert.is(await again.get("a", "gone"), undefined);
  assert.is(second.id, first.id);
  assert.equal(await new LogLedger(second.state, "links", second.id).load(), [{ name: "bh-2", n: 2 }]);
  assert.equal(await new LogLedger(second.state, "rules", second.id).load(), []);
});

test("a second host on the same folder is refused with the first one's process, until that has closed", async (t) => {
  const path = await t.folder();
  const first = await openDataFolder(path);
  const refused = await rejection(openDataFolder(path));
  assert.is(refused.code, "ERR_DATA_LOCKED");
  assert.ok(refused.message.includes(path) && refused.message.includes(String(process.pid)), refused.message);
  await first.close();
  await (await openDataFolder(path)).close();
});

test("the folder is made for its owner alone; what is not a folder is refused by name", async (t) => {
  const root = await t.folder();
  const path = join(root, "deep", "data");
  await (await openDataFolder(path)).close();
  assert.is((await stat(path)).mode & 0o777, 0o700);
  for (const name of ["log.000001", "flushed", "host.lock"]) {
    assert.is((await stat(join(path, name))).mode & 0o077, 0, name);
  }
  await writeFile(join(root, "file"), "");
  for (const wrong of [join(root, "file"), join(root, "file", "below"), "/proc/self/data"]) {
    const error = await rejection(openDataFolder(wrong));
    assert.is(error.code, "ERR_DATA_DIR");
    assert.ok(error.message.includes(wrong), error.message);
  }
});

test.run();
