/**
 * The redo log: writes that must outlive the process at once, but need not survive a reboot (README.md here, "Two strengths of
 * a write"). Two files alternate; one is emptied when lmdb has flushed all its writes.
 */
import { closeSync, existsSync, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";
import { crc32 } from "node:zlib";
import { corrupt } from "./errors.js";
import { DATA } from "./limits.js";
import { TABLES, type Table } from "./tables.js";

/** One write. `body` undefined: the row was removed. */
export interface Write {
  readonly table: Table;
  readonly key: Buffer;
  readonly body: string | undefined;
}

/**
 * One line: a group of writes that are applied together or not at all, and the number of the last one. Its parts are
 * separated by tabs, which JSON text does not contain.
 */
export interface RedoLine {
  readonly n: number;
  readonly writes: readonly Write[];
}

interface Segment {
  readonly fd: number;
  size: number;
  /** Number of the last write in it; 0: empty. */
  last: number;
}

export class RedoLog {
  #current: Segment;
  #other: Segment;
  /** Lines not written yet, and the number of their last write. */
  #lines = "";
  #last = 0;

  /** Starts with empty files: the caller has already read their contents. */
  constructor(paths: readonly [string, string]) {
    const [first, second] = paths.map((path): Segment => ({ fd: openSync(path, "w", 0o600), size: 0, last: 0 }));
    this.#current = first as Segment;
    this.#other = second as Segment;
  }

  /** Adds a line, to be written by the next `flush`. */
  append({ n, writes }: RedoLine): void {
    let text = String(n);
    for (const { table, key, body } of writes) text += `\t${table}\t${key.toString("base64")}\t${body ?? ""}`;
    this.#lines += `${crc32(text).toString(16).padStart(8, "0")}${text}\n`;
    this.#last = n;
  }

  flush(): void {
    if (this.#lines === "") return;
    const segment = this.#current;
    const bytes = Buffer.from(this.#lines);
    for (let done = 0; done < bytes.length; ) {
      const wrote = writeSync(segment.fd, bytes, done, bytes.length - done, segment.size);
      segment.size += wrote;
      done += wrote;
    }
    segment.last = this.#last;
    this.#lines = "";
    if (segment.size < DATA.redoBytes || this.#other.last > 0) return;
    this.#current = this.#other;
    this.#other = segment;
  }

  /** Empties the files whose writes are all flushed; `n` is the last flushed write. */
  truncate(n: number): void {
    for (const segment of [this.#current, this.#other]) {
      if (segment.last === 0 || segment.last > n) continue;
      ftruncateSync(segment.fd, 0);
      segment.size = 0;
      segment.last = 0;
    }
  }

  close(): void {
    closeSync(this.#current.fd);
    closeSync(this.#other.fd);
  }
}

/**
 * Returns the lines after write `n`, in order. `sameBoot` false: the machine rebooted, and what the kernel had not written of
 * the file is lost; the lines before that are valid. Throws `ERR_JOURNAL_CORRUPT`.
 */
export function readRedoLog(paths: readonly string[], n: number, sameBoot: boolean): readonly RedoLine[] {
  const lines: RedoLine[] = [];
  for (const path of paths) {
    if (!existsSync(path)) continue;
    // Text after the last newline was being written when the process was killed (the kernel stops between two pages), and has
    // not been reported to any caller.
    for (const text of readFileSync(path, "utf8").split("\n").slice(0, -1)) {
      const line = parse(text);
      if (line) lines.push(line);
      else if (sameBoot) throw corrupt(path, "a line fails its checksum");
      else break;
    }
  }
  return lines.filter((line) => line.n > n).sort((a, b) => a.n - b.n);
}

function parse(line: string): RedoLine | undefined {
  const text = line.slice(8);
  if (line.slice(0, 8) !== crc32(text).toString(16).padStart(8, "0")) return undefined;
  const [n = "", ...fields] = text.split("\t");
  const writes: Write[] = [];
  for (let at = 0; at < fields.length; at += 3) {
    const [table, key = "", body] = fields.slice(at, at + 3);
    if (!TABLES.includes(table as Table) || body === undefined) return undefined;
    writes.push({ table: table as Table, key: Buffer.from(key, "base64"), body: body === "" ? undefined : body });
  }
  return { n: Number(n), writes };
}
