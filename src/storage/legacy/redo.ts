/** The redo files of a data folder that lmdb kept: writes that lmdb may not have stored when the host ended. */
import { existsSync, readFileSync } from "node:fs";
import { crc32 } from "node:zlib";
import { corrupt } from "../errors.js";
import { TABLES, type Table, type Write } from "../tables.js";

/**
 * One line: a group of writes that are applied together or not at all, and the number of the last one. Its parts are
 * separated by tabs, which JSON text does not contain.
 */
export interface RedoLine {
  readonly n: number;
  readonly writes: readonly Write<Buffer>[];
}

/**
 * Returns the lines after write `n`, in order. `sameBoot` false: the machine rebooted, and what the kernel had not written of
 * the file is lost; the lines before that are valid. Throws `ERR_JOURNAL_CORRUPT`.
 */
export function readRedo(paths: readonly string[], n: number, sameBoot: boolean): readonly RedoLine[] {
  const lines: RedoLine[] = [];
  for (const path of paths) {
    if (!existsSync(path)) continue;
    // Text after the last newline was being written when the process was killed (the kernel stops between two pages), and has
    // not been reported to any caller.
    for (const text of readFileSync(path, "utf8").split("\n").slice(0, -1)) {
      const line = parse(text);
      if (line) lines.push(line);
      else if (sameBoot) throw corrupt(path, "one of its lines fails its checksum");
      else break;
    }
  }
  return lines.filter((line) => line.n > n).sort((a, b) => a.n - b.n);
}

function parse(line: string): RedoLine | undefined {
  const text = line.slice(8);
  if (line.slice(0, 8) !== crc32(text).toString(16).padStart(8, "0")) return undefined;
  const [n = "", ...fields] = text.split("\t");
  const writes: Write<Buffer>[] = [];
  for (let at = 0; at < fields.length; at += 3) {
    const [table, key = "", body] = fields.slice(at, at + 3);
    if (!TABLES.includes(table as Table) || body === undefined) return undefined;
    writes.push({ table: table as Table, key: Buffer.from(key, "base64"), body: body === "" ? undefined : body });
  }
  return { n: Number(n), writes };
}
