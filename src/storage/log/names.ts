/** The files of a log: `log.NNNNNN` and `checkpoint.NNNNNN`, numbered by generation, and the head that each begins with. */
import { crc32 } from "node:zlib";
import type { Disk } from "./disk.js";

export type Kind = "log" | "checkpoint";

/** Version of the layout of both kinds of file. */
const FORMAT = 1;

/** Bytes of a file's head. */
export const HEAD_BYTES = 64;

export function nameOf(kind: Kind, generation: number): string {
  return `${kind}.${String(generation).padStart(6, "0")}`;
}

/** A checkpoint that is being written. */
export function partOf(generation: number): string {
  return `${nameOf("checkpoint", generation)}.part`;
}

/** Returns the generations of one kind, in ascending order. */
export function generations(disk: Disk, kind: Kind): readonly number[] {
  const pattern = new RegExp(`^${kind}\\.(\\d{6,})$`);
  return disk
    .list()
    .flatMap((name) => (pattern.exec(name)?.[1] === undefined ? [] : [Number(pattern.exec(name)?.[1])]))
    .sort((a, b) => a - b);
}

export function headOf(kind: Kind, generation: number): Buffer {
  const text = `bulkhead ${kind} ${FORMAT} ${generation}`;
  const line = `${text} ${crc32(text).toString(16).padStart(8, "0")}`;
  return Buffer.from(`${line.padEnd(HEAD_BYTES - 1)}\n`);
}

/** Returns why a file does not begin as it must; undefined if it does. */
export function headProblem(bytes: Buffer, kind: Kind, generation: number): string | undefined {
  const head = bytes.subarray(0, HEAD_BYTES);
  if (head.equals(headOf(kind, generation))) return undefined;
  const version = new RegExp(`^bulkhead ${kind} (\\d+) `).exec(head.toString("latin1"))?.[1];
  return version === undefined || Number(version) === FORMAT
    ? "its first 64 bytes are not what was written"
    : `it was written in format ${version}, and this version reads format ${FORMAT}`;
}
