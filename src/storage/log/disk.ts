/** The files of one data folder, as log and checkpoint use them. Tests put recorders and full disks in its place. */
import {
  closeSync,
  existsSync,
  fdatasync,
  fstatSync,
  fsync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { promisify } from "node:util";
import { giveToOwner } from "../folder-owner.js";
import { DATA } from "../limits.js";

const flushData = promisify(fdatasync);
const flushAll = promisify(fsync);

export interface DiskFile {
  readonly name: string;
  /** Its current size, as far as it was written through this handle. */
  readonly size: number;
  /** Reads up to `length` bytes at `at`. */
  read(at: number, length: number): Buffer;
  write(bytes: Uint8Array, at: number): void;
  /** Resolves when everything written is on the disk. */
  flush(): Promise<void>;
  /** Throws if its path leads to another file by now, or to none. */
  assertInPlace(): void;
  close(): void;
}

export interface Disk {
  /** Absolute path of a file, for messages. */
  path(name: string): string;
  list(): readonly string[];
  open(name: string, how: "read" | "write" | "create"): DiskFile;
  rename(from: string, to: string): void;
  remove(name: string): void;
  /** Makes creations, renames and removals durable. */
  flushFolder(): Promise<void>;
  /** Bytes that may still be written to its file system. */
  free(): number;
}

/** Opens the real files of a folder. */
export function openDisk(folder: string): Disk {
  const path = (name: string): string => join(folder, name);
  return {
    path,
    list: () => readdirSync(folder),
    open: (name, how) => new RealFile(name, path(name), how),
    rename: (from, to) => renameSync(path(from), path(to)),
    remove: (name) => rmSync(path(name), { force: true }),
    async flushFolder() {
      const fd = await openFolder(folder);
      try {
        await flushAll(fd);
      } finally {
        closeSync(fd);
      }
    },
    free() {
      const { bavail, bsize } = statfsSync(folder);
      return bavail * bsize;
    },
  };
}

/** Opens a file for reading, as if it were the one of a folder with that name. */
export function openFileAs(path: string, name: string): DiskFile {
  return new RealFile(name, path, "read");
}

/** Opens a folder. Waits while no descriptor is free: the flush has not been tried yet, so nothing is lost. */
async function openFolder(folder: string): Promise<number> {
  const end = performance.now() + DATA.descriptorMs;
  for (;;) {
    try {
      return openSync(folder, "r");
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if ((code !== "EMFILE" && code !== "ENFILE") || performance.now() >= end) throw error;
      await wait(DATA.descriptorPollMs);
    }
  }
}

/** Most bytes that Node reads at once. */
const MOST_READ: number = 1 << 30;

const FLAGS = { read: "r", write: "r+", create: "wx+" } as const;

class RealFile implements DiskFile {
  readonly name: string;
  readonly #path: string;
  readonly #fd: number;
  readonly #identity: string;
  #size: number;
  #closed = false;

  constructor(name: string, path: string, how: "read" | "write" | "create") {
    this.name = name;
    this.#path = path;
    if (existsSync(path) && !statSync(path).isFile()) throw new Error(`${path} is not a file`);
    this.#fd = openSync(path, FLAGS[how], 0o600);
    if (how === "create") giveToOwner(this.#fd, dirname(path));
    const { dev, ino, size } = fstatSync(this.#fd);
    this.#identity = `${dev}:${ino}`;
    this.#size = size;
  }

  get size(): number {
    return this.#size;
  }

  read(at: number, length: number): Buffer {
    const bytes = Buffer.allocUnsafe(Math.max(0, Math.min(length, this.#size - at)));
    let done = 0;
    while (done < bytes.length) {
      const got = readSync(this.#open(), bytes, done, Math.min(bytes.length - done, MOST_READ), at + done);
      if (got === 0) break;
      done += got;
    }
    return bytes.subarray(0, done);
  }

  write(bytes: Uint8Array, at: number): void {
    for (let done = 0; done < bytes.length; )
      done += writeSync(this.#open(), bytes, done, bytes.length - done, at + done);
    this.#size = Math.max(this.#size, at + bytes.length);
  }

  async flush(): Promise<void> {
    await flushData(this.#open());
  }

  assertInPlace(): void {
    const found = statSync(this.#path, { throwIfNoEntry: false });
    if (found !== undefined && `${found.dev}:${found.ino}` === this.#identity) return;
    throw new Error(found === undefined ? "it was deleted while the host ran" : "another file has taken its place");
  }

  /** Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    closeSync(this.#fd);
  }

  /** Returns the descriptor. Its number may be another file's once it is closed. */
  #open(): number {
    if (this.#closed) throw new Error(`${this.#path} is closed`);
    return this.#fd;
  }
}
