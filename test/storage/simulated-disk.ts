/**
 * A disk in memory that records what is done to it, and shows what a power cut at any moment may leave: of each file all that was
 * flushed, of later writes any pieces of 512 bytes, of creations, renames and removals since the folder's last flush the first few.
 */
import type { Disk, DiskFile } from "#dist/storage/log/disk.js";

type Operation =
  | { readonly kind: "create" | "remove"; readonly name: string }
  | { readonly kind: "rename"; readonly name: string; readonly to: string }
  | { readonly kind: "write"; readonly file: number; readonly at: number; readonly bytes: Buffer }
  /** `upTo`: how many operations had been done when it began. */
  | { readonly kind: "flush"; readonly file: number; readonly upTo: number }
  | { readonly kind: "flush-folder" };

const SECTOR = 512;

export class SimulatedDisk implements Disk {
  readonly operations: Operation[] = [];
  /** Called before each creation and write: throws what the disk reports. `end`: the offset behind the write. */
  fault: (name: string, end: number) => void = () => {};
  readonly #names: Map<string, number>;
  readonly #files: Content[];

  constructor(names: ReadonlyMap<string, number> = new Map(), files: readonly Content[] = []) {
    this.#names = new Map(names);
    this.#files = [...files];
  }

  /** A disk that holds these files. */
  static of(files: Readonly<Record<string, Buffer>>): SimulatedDisk {
    const contents = Object.values(files).map((bytes) => {
      const content = new Content();
      content.write(bytes, 0);
      return content;
    });
    return new SimulatedDisk(new Map(Object.keys(files).map((name, at) => [name, at])), contents);
  }

  path(name: string): string {
    return `/simulated/${name}`;
  }

  list(): readonly string[] {
    return [...this.#names.keys()];
  }

  open(name: string, how: "read" | "write" | "create"): DiskFile {
    if (how === "create") {
      if (this.#names.has(name)) throw new Error(`EEXIST ${name}`);
      this.fault(name, 0);
      this.#names.set(name, this.#files.push(new Content()) - 1);
      this.operations.push({ kind: "create", name });
    }
    const file = this.#names.get(name);
    if (file === undefined) throw new Error(`ENOENT ${name}`);
    const content = this.#files[file] as Content;
    return {
      name,
      get size() {
        return content.bytes.length;
      },
      read: (at, length) => Buffer.from(content.bytes.subarray(at, at + length)),
      write: (bytes, at) => {
        this.fault(name, at + bytes.length);
        this.operations.push({ kind: "write", file, at, bytes: Buffer.from(bytes) });
        content.write(bytes, at);
      },
      flush: async () => {
        const flushed: Operation = { kind: "flush", file, upTo: this.operations.length };
        await new Promise((resolve) => setImmediate(resolve));
        this.operations.push(flushed);
      },
      assertInPlace() {},
      close() {},
    };
  }

  rename(from: string, to: string): void {
    this.operations.push({ kind: "rename", name: from, to });
    rename(this.#names, from, to);
  }

  remove(name: string): void {
    if (!this.#names.delete(name)) return;
    this.operations.push({ kind: "remove", name });
  }

  async flushFolder(): Promise<void> {
    this.operations.push({ kind: "flush-folder" });
  }

  /** Turns a bit of a file, as a disk does that fails silently. */
  turn(name: string, at: number): void {
    const { bytes } = this.#files[this.#names.get(name) ?? -1] as Content;
    bytes[at] = (bytes[at] as number) ^ 1;
  }

  free(): number {
    return 1 << 20;
  }

  /** The disk as it is now, for another process: the one that has it open writes to this one no more. */
  copy(): SimulatedDisk {
    return SimulatedDisk.of(
      Object.fromEntries(
        [...this.#names].map(([name, file]) => [name, Buffer.from((this.#files[file] as Content).bytes)]),
      ),
    );
  }

  /** The disk after a power cut behind the first `count` operations. `pick(n)`: a number from 0 to n - 1. */
  cut(count: number, pick: (n: number) => number): SimulatedDisk {
    const done = this.operations.slice(0, count);
    const flushedAt = new Map<number, number>();
    for (const one of done)
      if (one.kind === "flush") flushedAt.set(one.file, Math.max(one.upTo, flushedAt.get(one.file) ?? 0));
    const files: Content[] = [];
    for (const [at, one] of done.entries()) {
      if (one.kind === "create") files.push(new Content());
      if (one.kind !== "write") continue;
      const sure = at < (flushedAt.get(one.file) ?? 0);
      for (let from = 0; from < one.bytes.length; from += SECTOR) {
        if (!sure && pick(2) === 0) continue;
        const piece = one.bytes.subarray(from, from + SECTOR);
        files[one.file]?.write(piece, one.at + from);
      }
    }
    const folder = done.findLastIndex(({ kind }) => kind === "flush-folder");
    const isNaming = ({ kind }: Operation): boolean => kind === "create" || kind === "rename" || kind === "remove";
    const later = done.slice(folder + 1).filter(isNaming);
    let left = pick(later.length + 1);
    const names = new Map<string, number>();
    let created = 0;
    for (const [at, one] of done.entries()) {
      const number = one.kind === "create" ? created++ : 0;
      if (!isNaming(one) || (at > folder && left-- <= 0)) continue;
      if (one.kind === "create") names.set(one.name, number);
      else if (one.kind === "remove") names.delete(one.name);
      else if (one.kind === "rename") rename(names, one.name, one.to);
    }
    return new SimulatedDisk(names, files);
  }

  /** The disk after the process was killed behind the first `count` operations: the kernel has everything. */
  killed(count: number): SimulatedDisk {
    const names = new Map<string, number>();
    const files: Content[] = [];
    for (const one of this.operations.slice(0, count)) {
      if (one.kind === "create") names.set(one.name, files.push(new Content()) - 1);
      else if (one.kind === "remove") names.delete(one.name);
      else if (one.kind === "rename") rename(names, one.name, one.to);
      else if (one.kind === "write") files[one.file]?.write(one.bytes, one.at);
    }
    return new SimulatedDisk(names, files);
  }
}

function rename(names: Map<string, number>, from: string, to: string): void {
  const file = names.get(from);
  if (file === undefined) throw new Error(`ENOENT ${from}`);
  names.delete(from);
  names.set(to, file);
}

/** Bytes that grow in place. */
class Content {
  #bytes: Buffer = Buffer.alloc(0);
  #length = 0;

  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  write(bytes: Uint8Array, at: number): void {
    const end = at + bytes.length;
    if (end > this.#bytes.length) {
      const longer = Buffer.alloc(2 * end);
      this.#bytes.copy(longer);
      this.#bytes = longer;
    }
    this.#bytes.set(bytes, at);
    this.#length = Math.max(this.#length, end);
  }
}
