/** Writes a checkpoint: the rows of earlier generations in one file, so that their files can be deleted. */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Write } from "../tables.js";
import type { Disk, DiskFile } from "./disk.js";
import { encodeFrame, frameBytes, readFrame } from "./frame.js";
import { HEAD_BYTES, headOf, nameOf, newSalt, partOf, seedIn, seedOf } from "./names.js";
import { type Location, type Placed, textAt } from "./row-index.js";

/** Bytes of rows in one frame, unless a single row has more. */
const FRAME_BYTES = 1 << 16;

/** A row, and its copy's place. */
export interface Move {
  readonly row: Placed;
  readonly to: Location;
}

/**
 * Writes the rows as checkpoint `generation`, a piece in each turn of the loop, and flushes it. Returns the file and each row's new
 * place. Leaves nothing behind if it fails, and fails if a row is no longer what was written: its copy would get a valid checksum.
 */
export async function writeCheckpoint(
  disk: Disk,
  generation: number,
  n: number,
  rows: readonly Placed[],
  read: RowReader = readIntact,
): Promise<{ readonly file: DiskFile; readonly moves: readonly Move[] }> {
  const part = partOf(generation);
  disk.remove(part);
  const file = disk.open(part, "create");
  try {
    const salt = newSalt();
    const seed = seedOf(salt);
    file.write(headOf("checkpoint", generation, salt), 0);
    const offsets: { readonly at: number; readonly bytes: number }[] = [];
    let end = HEAD_BYTES;
    let group: Write[] = [];
    let bytes = 0;
    const write = (): void => {
      const start = end;
      const placed: number[] = [];
      const frame = encodeFrame(group, n, end, seed, placed);
      for (let at = 0; at < placed.length; at += 2)
        offsets.push({ at: start + (placed[at] as number), bytes: placed[at + 1] as number });
      file.write(frame, end);
      end += frame.length;
      group = [];
      bytes = 0;
    };
    const moved: Placed[] = [];
    for (const [source, placed] of byFile(rows)) {
      for (const found of read(source, placed)) {
        for (const { row, body } of found) {
          moved.push(row);
          group.push({ table: row.table, key: row.key, body });
          bytes += row.location.bytes + row.key.length;
          if (bytes >= FRAME_BYTES) write();
        }
        await nextTurn();
      }
    }
    if (group.length > 0) write();
    write();
    await file.flush();
    disk.rename(part, nameOf("checkpoint", generation));
    await disk.flushFolder();
    const whole = disk.open(nameOf("checkpoint", generation), "read");
    const moves = moved.map((row, index): Move => {
      const { at, bytes: length } = offsets[index] as (typeof offsets)[number];
      return { row, to: { file: whole, at, bytes: length } };
    });
    return { file: whole, moves };
  } catch (error) {
    disk.remove(part);
    throw error;
  } finally {
    file.close();
  }
}

function byFile(rows: readonly Placed[]): ReadonlyMap<DiskFile, readonly Placed[]> {
  const files = new Map<DiskFile, Placed[]>();
  for (const row of rows) {
    const others = files.get(row.location.file);
    if (others) others.push(row);
    else files.set(row.location.file, [row]);
  }
  return files;
}

/** Rows and their values, as a file has them. Read in pieces, so that the event loop is not held up. */
type RowReader = (file: DiskFile, rows: readonly Placed[]) => Iterable<readonly Found[]>;

interface Found {
  readonly row: Placed;
  readonly body: string;
}

/** Reads rows through the frames that hold them, whose checksums it verifies. Throws if one is not intact. */
function* readIntact(file: DiskFile, rows: readonly Placed[]): Generator<readonly Found[]> {
  const seed = seedIn(file);
  const sorted = [...rows].sort((a, b) => a.location.at - b.location.at);
  let start = HEAD_BYTES;
  for (let next = 0; next < sorted.length; ) {
    const piece = file.read(start, FRAME_BYTES);
    const first = frameBytes(piece) ?? 0;
    const bytes = first > piece.length ? file.read(start, first) : piece;
    const found: Found[] = [];
    let end = 0;
    for (let frame = readFrame(bytes, 0, seed); frame; frame = readFrame(bytes, end, seed)) {
      for (const { table, key, body } of frame.writes) {
        const row = sorted[next];
        if (!row || body === undefined || row.location.at !== start + body.at) continue;
        if (row.table !== table || row.key !== key || row.location.bytes !== body.bytes) break;
        found.push({ row, body: bytes.toString("utf8", body.at, body.at + body.bytes) });
        next++;
      }
      end = frame.end;
    }
    if (end === 0) throw new Error(`${file.name}: the bytes at offset ${start} fail their checksum`);
    start += end;
    yield found;
  }
}

/** Reads rows without their frames: for recovery, which has just read those of a damaged file. */
export function* readPlain(_: DiskFile, rows: readonly Placed[]): Generator<readonly Found[]> {
  for (const row of rows) yield [{ row, body: textAt(row.location) }];
}
