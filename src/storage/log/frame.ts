/**
 * Frames: the records of log and checkpoint. One frame is a group of writes that are applied together or not at all. Layout and
 * reasons: ../README.md.
 */
import { crc32 } from "node:zlib";
import { TABLES, type Table, type Write } from "../tables.js";

/** Bytes before a frame's payload: marker, payload length, checksum, number of its last write, flushed offset. */
const HEADER_BYTES = 24;

/** Begins every frame, so that a reader finds the next one behind damage. */
const MARKER = 0x31_52_48_42;

/** Bytes before a write's key: table, operation, length of the key, length of the body. */
const WRITE_BYTES = 10;

/** Of CRC-32, reflected. */
const POLYNOMIAL = 0xedb88320;

const PUT = 1;
const REMOVE = 2;

/** A write within a frame. `body`: its place in the bytes read; undefined: the row is removed. */
export interface LocatedWrite {
  readonly table: Table;
  /** The key's bytes, in latin1. */
  readonly key: string;
  readonly body: { readonly at: number; readonly bytes: number } | undefined;
}

export interface Frame {
  /** The number of its last write. */
  readonly n: number;
  /** The offset up to which its file had been flushed when it was written. */
  readonly flushed: number;
  /** The offset behind it. */
  readonly end: number;
  readonly writes: readonly LocatedWrite[];
}

/** Where frames are encoded, unless one may be larger: allocating a buffer for each costs more than filling it. */
const SCRATCH = Buffer.allocUnsafeSlow(1 << 18);

/** Most bytes of a UTF-16 unit in UTF-8. */
const UNIT_BYTES = 3;

/**
 * Encodes one frame; it is valid until the next call. `flushed`: offset up to which the file is flushed; `seed`: of the checksums;
 * `placed`: gets each body's offset in the frame, and its length.
 */
export function encodeFrame(
  writes: readonly Write[],
  n: number,
  flushed: number,
  seed: number,
  placed: number[] = [],
): Buffer {
  let most = HEADER_BYTES;
  for (const { key, body } of writes) most += WRITE_BYTES + key.length + UNIT_BYTES * (body?.length ?? 0);
  const frame = most <= SCRATCH.length ? SCRATCH : Buffer.allocUnsafeSlow(most);
  frame.writeUInt32LE(MARKER, 0);
  frame.writeUIntLE(n, 12, 6);
  frame.writeUIntLE(flushed, 18, 6);
  let at = HEADER_BYTES;
  for (const { table, key, body } of writes) {
    frame[at] = TABLES.indexOf(table);
    frame[at + 1] = body === undefined ? REMOVE : PUT;
    frame.writeUInt32LE(key.length, at + 2);
    if (typeof key === "string") frame.write(key, at + WRITE_BYTES, "latin1");
    else key.copy(frame, at + WRITE_BYTES);
    const text = at + WRITE_BYTES + key.length;
    const length = body === undefined ? 0 : frame.write(body, text);
    frame.writeUInt32LE(length, at + 6);
    placed.push(text, length);
    at = text + length;
  }
  frame.writeUInt32LE(at - HEADER_BYTES, 4);
  frame.writeUInt32LE(sumOf(frame, 0, at, seed), 8);
  return frame.subarray(0, at);
}

/** Returns the length of the frame with which these bytes begin; undefined if it is not one. */
export function frameBytes(bytes: Buffer): number | undefined {
  if (bytes.length < HEADER_BYTES || bytes.readUInt32LE(0) !== MARKER) return undefined;
  return HEADER_BYTES + bytes.readUInt32LE(4);
}

/** Reads the frame at `at`; undefined if no intact frame begins there. */
export function readFrame(bytes: Buffer, at: number, seed: number): Frame | undefined {
  if (at + HEADER_BYTES > bytes.length || bytes.readUInt32LE(at) !== MARKER) return undefined;
  const end = at + HEADER_BYTES + bytes.readUInt32LE(at + 4);
  if (end > bytes.length || bytes.readUInt32LE(at + 8) !== sumOf(bytes, at, end, seed)) return undefined;
  const writes = readWrites(bytes, at + HEADER_BYTES, end);
  return writes && { n: bytes.readUIntLE(at + 12, 6), flushed: bytes.readUIntLE(at + 18, 6), end, writes };
}

/**
 * Computes the seed under which the frame at `at` is intact, for recovery of a file without a readable head; undefined if no frame
 * begins there.
 */
export function seedOfFrame(bytes: Buffer, at: number): number | undefined {
  if (at + HEADER_BYTES > bytes.length || bytes.readUInt32LE(at) !== MARKER) return undefined;
  const end = at + HEADER_BYTES + bytes.readUInt32LE(at + 4);
  if (end > bytes.length || readWrites(bytes, at + HEADER_BYTES, end) === undefined) return undefined;
  const behind = uncrc(bytes.subarray(at + 12, end), bytes.readUInt32LE(at + 8));
  return uncrc(bytes.subarray(at + 4, at + 8), behind);
}

/** Undoes `crc32`: returns the value with which it had to begin to give `sum` for these bytes. */
function uncrc(bytes: Buffer, sum: number): number {
  let state = ~sum;
  for (let at = bytes.length - 1; at >= 0; at--) {
    for (let bit = 0; bit < 8; bit++) state = state < 0 ? ((state ^ POLYNOMIAL) << 1) | 1 : state << 1;
    state ^= bytes[at] as number;
  }
  return ~state >>> 0;
}

/** Returns the offset of the next intact frame at or after `from`; undefined if there is none. */
export function nextFrame(bytes: Buffer, from: number, seed: number): number | undefined {
  const marker = Buffer.alloc(4);
  marker.writeUInt32LE(MARKER);
  for (let at = bytes.indexOf(marker, from); at >= 0; at = bytes.indexOf(marker, at + 1))
    if (readFrame(bytes, at, seed)) return at;
  return undefined;
}

/** Computes the checksum over everything of a frame but the checksum itself. */
function sumOf(bytes: Buffer, at: number, end: number, seed: number): number {
  return crc32(bytes.subarray(at + 12, end), crc32(bytes.subarray(at + 4, at + 8), seed));
}

function readWrites(bytes: Buffer, from: number, end: number): readonly LocatedWrite[] | undefined {
  const writes: LocatedWrite[] = [];
  for (let at = from; at < end; ) {
    if (at + WRITE_BYTES > end) return undefined;
    const table = TABLES[bytes[at] as number];
    const operation = bytes[at + 1];
    const key = at + WRITE_BYTES;
    const body = key + bytes.readUInt32LE(at + 2);
    const next = body + bytes.readUInt32LE(at + 6);
    if (table === undefined || next > end || (operation !== PUT && operation !== REMOVE)) return undefined;
    writes.push({
      table,
      key: bytes.toString("latin1", key, body),
      body: operation === PUT ? { at: body, bytes: next - body } : undefined,
    });
    at = next;
  }
  return writes;
}
