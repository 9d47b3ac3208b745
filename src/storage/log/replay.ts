/** Reads a folder's checkpoint and logs from disk: every row, or what is damaged and where. */
import { corrupt, otherFormat } from "../errors.js";
import type { Disk, DiskFile } from "./disk.js";
import { type Frame, nextFrame, readFrame, seedOfFrame } from "./frame.js";
import { generations, HEAD_BYTES, type Kind, nameOf, readHead, saltsIn, seedOf } from "./names.js";
import { RowIndex } from "./row-index.js";

export interface Replayed {
  readonly index: RowIndex;
  /** The number of the last write; 0: none. */
  readonly n: number;
  /** The generation to begin with where there is no log. */
  readonly first: number;
  /** The generation to go on with, its file, and the offset behind its last frame; undefined: an empty folder. */
  readonly last:
    | { readonly generation: number; readonly file: DiskFile; readonly seed: number; readonly end: number }
    | undefined;
  /** Files of earlier generations that still hold rows. */
  readonly files: readonly DiskFile[];
  /**
   * Offset of an unreadable frame before intact, unflushed ones; 0: a later log with content was dropped; undefined: the logs are
   * sound.
   */
  readonly gap: number | undefined;
  /** Names of files of older generations, which nothing refers to. */
  readonly stale: readonly string[];
}

/** Handles damage in a file: throws, or returns to skip it. */
export type Problem = (file: string, why: string) => void;

/** Throws `ERR_JOURNAL_CORRUPT`. */
const refuse: Problem = (file, why) => {
  throw corrupt(file, why);
};

/** Reads everything. With another `problem` than `refuse`, skips what is damaged. */
export function replay(disk: Disk, problem: Problem = refuse, how: "read" | "write" = "write"): Replayed {
  const names = disk.list();
  const [checkpoints, logs] = [generations(names, "checkpoint"), generations(names, "log")];
  const first = checkpoints.at(-1) ?? 1;
  const { begun: wanted, dropped } = begunLogs(
    disk,
    logs.filter((one) => one >= first),
    problem !== refuse,
  );
  const last = wanted.at(-1);
  const index = new RowIndex();
  const files: DiskFile[] = [];
  let n = 0;
  let end = HEAD_BYTES;
  let seed = 0;
  let gap: number | undefined = dropped.some(({ holds }) => holds) ? 0 : undefined;
  const read = (kind: Kind, generation: number): void => {
    const name = nameOf(kind, generation);
    const file = disk.open(name, how);
    files.push(file);
    const found = readFile(file, {
      path: disk.path(name),
      kind,
      generation,
      problem,
      open: generation === last && kind === "log",
      apply(frame) {
        n = Math.max(n, frame.n);
        for (const { table, key, body } of frame.writes)
          index.set(table, key, body && { file, at: body.at, bytes: body.bytes });
      },
    });
    end = found.end;
    seed = found.seed;
    gap ??= found.gap;
  };
  try {
    if (checkpoints.length > 0) read("checkpoint", first);
    if (last === undefined) {
      if (checkpoints.length > 0 && dropped.length === 0) problem(disk.path(nameOf("log", first)), "it is gone");
    } else {
      for (let generation = first; generation <= last; generation++) {
        if (wanted.includes(generation)) read("log", generation);
        else problem(disk.path(nameOf("log", generation)), "it is gone");
      }
    }
  } catch (error) {
    for (const file of files) file.close();
    throw error;
  }
  const stale = [
    ...checkpoints.filter((one) => one < first).map((one) => nameOf("checkpoint", one)),
    ...logs.filter((one) => one < first).map((one) => nameOf("log", one)),
    ...dropped.map(({ generation }) => nameOf("log", generation)),
    ...names.filter((name) => /^checkpoint\.\d+\.part$/.test(name)),
  ];
  const current = last === undefined ? undefined : files.pop();
  return {
    index,
    n,
    first,
    last: current && { generation: last as number, file: current, seed, end },
    files,
    gap,
    stale,
  };
}

/**
 * Drops trailing logs that were never flushed before a power cut: those that are blank, or follow a log without its end. `holds`:
 * one of these has content nevertheless, none of which was acknowledged as flushed.
 */
function begunLogs(
  disk: Disk,
  logs: readonly number[],
  salvage: boolean,
): {
  readonly begun: readonly number[];
  readonly dropped: readonly { readonly generation: number; readonly holds: boolean }[];
} {
  const begun = [...logs];
  const dropped: { readonly generation: number; readonly holds: boolean }[] = [];
  for (let last = begun.at(-1); last !== undefined; last = begun.at(-1)) {
    const { blank, holds, flushed } = glance(disk, last, salvage);
    if (flushed || (salvage && holds)) break;
    const before = begun.at(-2);
    const torn = before !== undefined && !hasEnded(disk, before, salvage);
    if (!blank && !torn) break;
    begun.pop();
    dropped.push({ generation: last, holds });
  }
  return { begun, dropped };
}

interface Glance {
  /** True if nothing of its head has reached the disk. */
  readonly blank: boolean;
  /** True if something is written behind its head. */
  readonly holds: boolean;
  /** True if one of its intact frames, wherever it is, was written after a flush. */
  readonly flushed: boolean;
}

function glance(disk: Disk, generation: number, salvage: boolean): Glance {
  const { bytes, seed } = wholeLog(disk, generation, salvage);
  return {
    blank: isEmpty(bytes.subarray(0, HEAD_BYTES)),
    holds: !isEmpty(bytes.subarray(HEAD_BYTES)),
    flushed: seed !== undefined && flushedLater(bytes, HEAD_BYTES, 0, seed),
  };
}

/** Returns true if a log's frames follow each other up to an empty one, its last. */
function hasEnded(disk: Disk, generation: number, salvage: boolean): boolean {
  const { bytes, seed } = wholeLog(disk, generation, salvage);
  if (seed === undefined) return false;
  let last: Frame | undefined;
  for (let frame = readFrame(bytes, HEAD_BYTES, seed); frame; frame = readFrame(bytes, frame.end, seed)) last = frame;
  return last?.writes.length === 0 && nextFrame(bytes, last.end, seed) === undefined;
}

/** Reads a log. `seed`: undefined if its head cannot be read. */
function wholeLog(
  disk: Disk,
  generation: number,
  salvage: boolean,
): { readonly bytes: Buffer; readonly seed: number | undefined } {
  const file = disk.open(nameOf("log", generation), "read");
  try {
    const bytes = file.read(0, file.size);
    return { bytes, seed: readHead(bytes, "log", generation).seed ?? (salvage ? salvagedSeed(bytes) : undefined) };
  } finally {
    file.close();
  }
}

interface Reading {
  readonly path: string;
  readonly kind: Kind;
  readonly generation: number;
  readonly problem: Problem;
  /** True for the last log, whose end may be torn. */
  readonly open: boolean;
  /** Called with each intact frame, in order. */
  apply(frame: Frame): void;
}

/** Reads one file's frames. Every file except the last log must end with an empty frame, and have only zeros after it. */
function readFile(
  file: DiskFile,
  { path, kind, generation, problem, open, apply }: Reading,
): { readonly seed: number; readonly end: number; readonly gap?: number } {
  const bytes = file.read(0, file.size);
  const head = readHead(bytes, kind, generation);
  if (head.format !== undefined) throw otherFormat(path, head.format);
  if (head.problem !== undefined) problem(path, head.problem);
  /** The number of writes in the last frame. */
  let writes: number | undefined;
  // Only recovery comes here without a seed.
  const seed = head.seed ?? salvagedSeed(bytes);
  if (seed === undefined) return { seed: 0, end: HEAD_BYTES };
  let at = HEAD_BYTES;
  for (;;) {
    const frame = readFrame(bytes, at, seed);
    if (frame) {
      apply(frame);
      writes = frame.writes.length;
      at = frame.end;
      continue;
    }
    const next = nextFrame(bytes, at + 1, seed);
    if (next === undefined) break;
    // A later frame that says this place was flushed proves damage; otherwise the disk wrote the last frames in another order.
    if (open && problem === refuse && !flushedLater(bytes, next, at, seed)) return { seed, end: at, gap: at };
    problem(path, `the bytes at offset ${at} fail their checksum`);
    at = next;
  }
  if (open) return { seed, end: at };
  if (writes !== 0) problem(path, `it ends at offset ${at}, before its last frame`);
  else if (!isEmpty(bytes.subarray(at))) problem(path, `unexpected data after its last frame, at offset ${at}`);
  return { seed, end: at };
}

/**
 * Frames that must be intact under a seed which no head confirms. Checksums are linear: one flipped bit in each of two frames can give
 * both the same wrong seed.
 */
const AGREEING = 3;

/**
 * Returns a seed for a file whose head cannot be read: from what is left of its salts, or from its first frame, whose place no plugin
 * chooses, if later frames confirm it.
 */
function salvagedSeed(bytes: Buffer): number | undefined {
  for (const seed of saltsIn(bytes).map(seedOf)) if (nextFrame(bytes, HEAD_BYTES, seed) !== undefined) return seed;
  const seed = seedOfFrame(bytes, HEAD_BYTES);
  if (seed === undefined) return undefined;
  let intact = 0;
  for (let at: number | undefined = HEAD_BYTES; at !== undefined && intact < AGREEING; intact++) {
    const { end } = readFrame(bytes, at, seed) as Frame;
    at = nextFrame(bytes, end, seed);
  }
  return intact < AGREEING ? undefined : seed;
}

/** Returns true if an intact frame at or after `from` says that `at` had been flushed. */
function flushedLater(bytes: Buffer, from: number, at: number, seed: number): boolean {
  for (let next: number | undefined = from; next !== undefined; ) {
    const frame = readFrame(bytes, next, seed);
    if (frame && frame.flushed > at) return true;
    next = nextFrame(bytes, frame?.end ?? next + 1, seed);
  }
  return false;
}

function isEmpty(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0);
}
