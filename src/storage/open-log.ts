/** Opens the state file's log at a start: replays it, checks that nothing flushed is missing, and flushes what an earlier process left. */
import { corrupt } from "./errors.js";
import { LastFlush, readLastFlush } from "./last-flush.js";
import type { Disk, DiskFile } from "./log/disk.js";
import { LogWriter } from "./log/log-writer.js";
import { replay } from "./log/replay.js";
import { type RowIndex, textAt } from "./log/row-index.js";

/** Key of the boot id under which the file was last written. */
export const BOOT_KEY: Buffer = Buffer.from("boot");

export interface OpenedLog {
  readonly index: RowIndex;
  readonly lastFlush: LastFlush;
  readonly log: LogWriter;
  /** The files of earlier generations. */
  readonly files: readonly DiskFile[];
  /** Number of the last write. */
  readonly n: number;
}

/** Creates the log if the folder has none. `bootId`: of the machine's current boot. Throws `ERR_JOURNAL_CORRUPT`, or what the disk reports. */
export async function openLog(disk: Disk, bootId: string): Promise<OpenedLog> {
  const { index, n, first, last, files, gap, stale } = replay(disk);
  const opened: { close(): void }[] = [...files, ...(last ? [last.file] : [])];
  try {
    const witnessed = readLastFlush(disk);
    const path = disk.path(last?.file.name ?? "log.000001");
    if (n < witnessed)
      throw corrupt(path, last ? `it ends at write ${n}, and write ${witnessed} was flushed` : "it is gone");
    const boot = index.of("meta").get(BOOT_KEY.toString("latin1"));
    const sameBoot = boot !== undefined && textAt(boot) === JSON.stringify(bootId);
    if (gap !== undefined && sameBoot) throw corrupt(path, `the bytes at offset ${gap} fail their checksum`);
    for (const name of stale) disk.remove(name);
    const log = last ? new LogWriter(last.generation, last.file, last.seed, last.end) : LogWriter.create(disk, first);
    opened.push(log.file);
    const lastFlush = new LastFlush(disk);
    opened.push(lastFlush);
    log.clearRest();
    // Flushes what an earlier process left in the page cache: later acknowledgements depend on it.
    for (const file of [...files, log.file]) await file.flush();
    await disk.flushFolder();
    log.flushed = log.used;
    return { index, lastFlush, log, files, n };
  } catch (error) {
    for (const one of opened) one.close();
    throw error;
  }
}
