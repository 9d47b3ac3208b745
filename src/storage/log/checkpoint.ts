/** Writes a checkpoint: the rows of earlier generations in one file, so that their files can be deleted. */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Write } from "../tables.js";
import type { Disk, DiskFile } from "./disk.js";
import { encodeFrame } from "./frame.js";
import { HEAD_BYTES, headOf, nameOf, newSalt, partOf, seedOf } from "./names.js";
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
    const salt = newSalt();
    const seed = seedOf(salt);
    file.write(headOf("checkpoint", generation, salt), 0);
    const offsets: { readonly at: number; readonly bytes: number }[] = [];
    let end = HEAD_BYTES;
    let group: Write[] = [];
    let bytes = 0;
    const write = (): void => {
      const start = end;
      const frame = encodeFrame(group, n, end, seed, (at, length) => offsets.push({ at: start + at, bytes: length }));
      file.write(frame, end);
      end += frame.length;
      group = [];
      bytes = 0;
    };
    for (const { table, key, location } of rows) {
      const body = location.file.read(location.at, location.bytes);
      if (body.length < location.bytes) throw new Error(`${location.file.name} is shorter than it was`);
      group.push({ table, key: Buffer.from(key, "latin1"), body: body.toString() });
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
    const whole = disk.open(nameOf("checkpoint", generation), "read");
    return { file: whole, places: offsets.map(({ at, bytes: length }) => ({ file: whole, at, bytes: length })) };
  } catch (error) {
    disk.remove(part);
    throw error;
  } finally {
    file.close();
  }
}
