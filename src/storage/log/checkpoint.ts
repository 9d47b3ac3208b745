/** Writes a checkpoint: the rows of earlier generations in one file, so that those can go. */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Write } from "../tables.js";
import type { Disk, DiskFile } from "./disk.js";
import { encodeFrame } from "./frame.js";
import { HEAD_BYTES, headOf, nameOf, partOf } from "./names.js";
import type { Location, Placed } from "./row-index.js";

/** Bytes of rows in one frame, unless a single row has more. */
const FRAME_BYTES = 1 << 16;

/**
 * Writes the rows as checkpoint `generation`, a piece in each turn of the loop, and flushes it. Returns the file and each row's new
 * place. Leaves nothing behind if it fails.
 */
export async function writeCheckpoint(
  disk: Disk,
  generation: number,
  n: number,
  rows: readonly Placed[],
): Promise<{ readonly file: DiskFile; readonly places: readonly Location[] }> {
  const part = partOf(generation);
  disk.remove(part);
  const file = disk.open(part, "create");
  try {
    file.write(headOf("checkpoint", generation), 0);
    const places: Location[] = [];
    let end = HEAD_BYTES;
    let group: Write[] = [];
    let bytes = 0;
    const write = (): void => {
      const start = end;
      const frame = encodeFrame(group, n, end, (at, length) => places.push({ file, at: start + at, bytes: length }));
      file.write(frame, end);
      end += frame.length;
      group = [];
      bytes = 0;
    };
    for (const { table, key, location } of rows) {
      const body = location.file.read(location.at, location.bytes).toString();
      group.push({ table, key: Buffer.from(key, "latin1"), body });
      bytes += location.bytes + key.length;
      if (bytes < FRAME_BYTES) continue;
      write();
      await nextTurn();
    }
    if (group.length > 0) write();
    write();
    await file.flush();
    disk.rename(part, nameOf("checkpoint", generation));
    await disk.flushFolder();
    return { file, places };
  } catch (error) {
    file.close();
    disk.remove(part);
    throw error;
  }
}
