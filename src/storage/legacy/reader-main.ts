/**
 * Entry point of a process that reads a state file: a damaged page may end it (SIGSEGV, SIGBUS). Touches `process`, on purpose.
 * - `check STATE FRESH WITNESSED` copies the file without its free pages, whose list cannot be checked, to FRESH, and reads the copy
 *   from end to end. Only the copy is used afterwards.
 * - `rows STATE TABLE up|down` prints the intact rows of one table, a line of JSON each.
 */

import { writeSync } from "node:fs";
import { messageOf } from "../../common/text.js";
import type { Table } from "../tables.js";
import { openEnvironment, readRows, TALLY_KEY, verify } from "./environment.js";
import { unseal } from "./seals.js";

const [task, path = "", ...rest] = process.argv.slice(2);

// Written synchronously: data in a stream's buffer is lost if the next page ends this process.
const print = (value: unknown): void => {
  const bytes = Buffer.from(`${JSON.stringify(value)}\n`);
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(1, bytes, at);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
    }
  }
};

try {
  if (task === "check") {
    const [fresh = "", witnessed] = rest;
    const found = openEnvironment(path);
    await found.root.backup(fresh, true);
    await found.root.close();
    const copy = openEnvironment(fresh);
    const read = verify(copy, Number(witnessed));
    await copy.root.close();
    print(typeof read === "string" ? { problem: read } : { sound: true });
  } else {
    const [table, direction] = rest;
    const environment = openEnvironment(path);
    let damaged = 0;
    const rows = readRows(environment, table as Table, () => damaged++, { reverse: direction === "down" });
    for (const { key, body } of rows) print([key.toString("base64"), body]);
    const tally = environment.tally.get(TALLY_KEY);
    const read = tally === undefined ? undefined : unseal("meta", TALLY_KEY, tally);
    print({ damaged, n: read ? JSON.parse(read.body).n : 0 });
  }
} catch (error) {
  print({ problem: messageOf(error) });
}
