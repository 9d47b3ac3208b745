/** `bulkhead backup TO` and `bulkhead restore FROM`: the state of a data folder, in a file or a folder. */
import { type BackedUp, backUp, restore } from "../storage/backup.js";
import type { Report } from "./output.js";

/** Backs up the data folder, also while a host runs on it. Writes a folder if `to` ends in a slash. */
export async function backup(to: string, dataDir: string): Promise<Report> {
  const as = to.endsWith("/") ? "folder" : "file";
  const done = await backUp(dataDir, to, as);
  const how = done.live ? "while a host ran on it" : "no host ran on it";
  const text = `backed up ${dataDir} (${how}) into ${to}; records: ${rowsText(done)}`;
  return { data: { dataDir, to, as, ...done }, text };
}

/** Restores a backup into a data folder that is empty, or does not exist. */
export async function restoreBackup(from: string, dataDir: string): Promise<Report> {
  const { rows } = await restore(from, dataDir);
  const text = `restored ${from} into ${dataDir}; records: ${rowsText({ rows })}; the next host on it serves what was recorded there`;
  return { data: { dataDir, from, rows }, text };
}

function rowsText({ rows }: Pick<BackedUp, "rows">): string {
  const names = Object.entries(rows).filter(([table, count]) => table !== "meta" && count > 0);
  return names.map(([table, count]) => `${table} ${count}`).join(", ") || "none";
}
