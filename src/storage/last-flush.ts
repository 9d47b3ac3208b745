/**
 * Keeps the number of the last flushed write in a file of its own, since damage that undoes a whole transaction leaves a state
 * that looks sound. It is not flushed itself: an older number is only a weaker check.
 */
import { closeSync, fstatSync, openSync, readSync, writeSync } from "node:fs";
import { crc32 } from "node:zlib";
import { corrupt } from "./errors.js";

const BYTES = 25;

export class LastFlush {
  readonly #fd: number;

  constructor(path: string) {
    this.#fd = openSync(path, "a+", 0o600);
    closeSync(this.#fd);
    this.#fd = openSync(path, "r+");
  }

  write(n: number): void {
    writeSync(this.#fd, line(n), 0);
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/** Returns the number of the last flushed write; 0 if nothing was flushed yet. Throws `ERR_JOURNAL_CORRUPT`. */
export function readLastFlush(path: string): number {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return 0;
    throw error;
  }
  try {
    if (fstatSync(fd).size === 0) return 0;
    const bytes = Buffer.alloc(BYTES + 1);
    const text = bytes.toString("latin1", 0, readSync(fd, bytes, 0, BYTES + 1, 0));
    const n = Number.parseInt(text.slice(0, 15), 10);
    if (!Number.isSafeInteger(n) || text !== line(n)) throw corrupt(path, "it fails its checksum");
    return n;
  } finally {
    closeSync(fd);
  }
}

function line(n: number): string {
  const digits = String(n).padStart(15, "0");
  return `${digits} ${crc32(digits).toString(16).padStart(8, "0")}\n`;
}
