/**
 * The number of the last flushed write, in a file of its own: without it, a log that lost its last flushed frames would look
 * sound. Written after each flush and before callers are told; it needs no flush itself, since an older number is only a weaker
 * check.
 */
import { crc32 } from "node:zlib";
import { corrupt } from "./errors.js";
import type { Disk, DiskFile } from "./log/disk.js";

const NAME = "flushed";
const BYTES = 25;

export class LastFlush {
  readonly #file: DiskFile;

  /** Opens the file, and creates it so that later writes need no room. */
  constructor(disk: Disk) {
    this.#file = disk.open(NAME, disk.list().includes(NAME) ? "write" : "create");
    if (this.#file.size === 0) this.write(0);
  }

  write(n: number): void {
    this.#file.write(line(n), 0);
  }

  close(): void {
    this.#file.close();
  }
}

/** Returns the number of the last flushed write; 0 if nothing was flushed yet. Throws `ERR_JOURNAL_CORRUPT`. */
export function readLastFlush(disk: Disk): number {
  if (!disk.list().includes(NAME)) return 0;
  const file = disk.open(NAME, "read");
  try {
    if (file.size === 0) return 0;
    const text = file.read(0, BYTES + 1).toString("latin1");
    const n = Number.parseInt(text.slice(0, 15), 10);
    if (!Number.isSafeInteger(n) || text !== line(n).toString("latin1"))
      throw corrupt(disk.path(NAME), "it fails its checksum");
    return n;
  } finally {
    file.close();
  }
}

function line(n: number): Buffer {
  const digits = String(n).padStart(15, "0");
  return Buffer.from(`${digits} ${crc32(digits).toString(16).padStart(8, "0")}\n`);
}
