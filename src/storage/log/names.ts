/** The files of a log: `log.NNNNNN` and `checkpoint.NNNNNN`, numbered by generation, and the head that each begins with. */
import { randomBytes } from "node:crypto";
import { crc32 } from "node:zlib";

export type Kind = "log" | "checkpoint";

/** Version of the layout of both kinds of file. */
const FORMAT = 1;

/** Bytes of a file's head: a line, twice. */
export const HEAD_BYTES = 128;

export function nameOf(kind: Kind, generation: number): string {
  return `${kind}.${String(generation).padStart(6, "0")}`;
}

/** Returns the name of a checkpoint that is still being written. */
export function partOf(generation: number): string {
  return `${nameOf("checkpoint", generation)}.part`;
}

/** Returns the generations of one kind among a folder's names, in ascending order. */
export function generations(names: readonly string[], kind: Kind): readonly number[] {
  const pattern = new RegExp(`^${kind}\\.(\\d{6,})$`);
  return names
    .flatMap((name) => (pattern.exec(name)?.[1] === undefined ? [] : [Number(pattern.exec(name)?.[1])]))
    .sort((a, b) => a - b);
}

/**
 * Returns a file's head. `salt`: 16 hex digits, at random; they are part of every frame's checksum, so that no value or key that a plugin
 * stores can pass for a frame.
 */
export function headOf(kind: Kind, generation: number, salt: string): Buffer {
  const text = `bulkhead ${kind} ${FORMAT} ${generation} ${salt}`;
  return Buffer.from(`${`${text} ${crcOf(text)}`.padEnd(HEAD_BYTES / 2 - 1)}\n`.repeat(2));
}

/** What a file's head says. */
export interface Head {
  /** Seed of its frames' checksums; undefined: it cannot be read. */
  readonly seed?: number;
  /** What is wrong with it; absent: nothing. */
  readonly problem?: string;
  /** The version of its layout, if that is another one. */
  readonly format?: number;
}

export function readHead(bytes: Buffer, kind: Kind, generation: number): Head {
  const head = bytes.subarray(0, HEAD_BYTES);
  const pattern = new RegExp(`bulkhead ${kind} ${FORMAT} ${generation} ([0-9a-f]{16}) ([0-9a-f]{8})`, "g");
  for (const [, salt = ""] of head.toString("latin1").matchAll(pattern)) {
    const half = HEAD_BYTES / 2;
    const line = headOf(kind, generation, salt).subarray(0, half);
    const copies = [line.equals(head.subarray(0, half)), line.equals(head.subarray(half))];
    if (copies.every(Boolean)) return { seed: seedOf(salt) };
    if (copies.some(Boolean)) return { seed: seedOf(salt), problem: DAMAGED };
  }
  const format = Number(new RegExp(`^bulkhead ${kind} (\\d+) `).exec(head.toString("latin1"))?.[1]);
  return Number.isNaN(format) || format === FORMAT ? { problem: DAMAGED } : { format };
}

/** Returns the seed of a file's checksums. Throws if neither copy of its head can be read. */
export function seedIn(file: { readonly name: string; read(at: number, length: number): Buffer }): number {
  const [, kind, generation] = /^(log|checkpoint)\.(\d+)$/.exec(file.name.replace(/\.part$/, "")) ?? [];
  const { seed } = readHead(file.read(0, HEAD_BYTES), kind as Kind, Number(generation));
  if (seed === undefined) throw new Error(`${file.name}: ${DAMAGED}`);
  return seed;
}

/** Returns the salts that may be in a damaged head, for recovery. */
export function saltsIn(bytes: Buffer): readonly string[] {
  return (
    bytes
      .subarray(0, HEAD_BYTES)
      .toString("latin1")
      .match(/\b[0-9a-f]{16}\b/g) ?? []
  );
}

const DAMAGED = `its first ${HEAD_BYTES} bytes fail their checksum`;

/** Returns the seed of the checksums in a file with this salt. */
export function seedOf(salt: string): number {
  return crc32(salt);
}

export function newSalt(): string {
  return randomBytes(8).toString("hex");
}

function crcOf(text: string): string {
  return crc32(text).toString(16).padStart(8, "0");
}
