/** Writes a data folder as versions with lmdb did, in a process of its own: rows, the tally, a redo file and the number of the last flush. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { openEnvironment, TALLY_KEY } from "#dist/storage/legacy/environment.js";
import { checksum, Sums, seal } from "#dist/storage/legacy/seals.js";
import type { Table } from "#dist/storage/tables.js";

const [folder = "", count = "0"] = process.argv.slice(2);
const environment = openEnvironment(join(folder, "state.mdb"));
const sums = new Sums();
let n = 0;

function put(table: Table, key: Buffer, body: string): void {
  const sum = checksum(table, key, body);
  sums.note(table, key, sum);
  void environment.tables.get(table)?.put(key, seal(sum, body));
  n++;
}

const keyOf = (nid: string): Buffer => Buffer.from(`6:bridge${nid.length}:${nid}`, "utf16le");
put("meta", Buffer.from("about"), JSON.stringify({ version: 1, id: "dfeed" }));
for (let at = 0; at < Number(count); at++)
  put(
    "journal",
    keyOf(`n${at}`),
    JSON.stringify(["bridge", `n${at}`, null, false, { phase: "live", options: { at } }]),
  );
put("store", Buffer.from("plugin\0key"), '"value"');
const tally = JSON.stringify(sums.tally(n));
await environment.tally.put(TALLY_KEY, seal(checksum("meta", TALLY_KEY, tally), tally));
await environment.root.flushed;
await environment.root.close();

const late = JSON.stringify(["bridge", "late", null, false, { phase: "creating", options: {} }]);
const line = `${n + 1}\tjournal\t${keyOf("late").toString("base64")}\t${late}`;
writeFileSync(join(folder, "redo-1"), `${crc32(line).toString(16).padStart(8, "0")}${line}\n`);
const digits = String(n).padStart(15, "0");
writeFileSync(join(folder, "flushed"), `${digits} ${crc32(digits).toString(16).padStart(8, "0")}\n`);
