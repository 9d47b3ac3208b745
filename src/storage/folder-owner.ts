/** Gives what root creates in a data folder to the folder's owner, who could not open it otherwise. */
import { fchownSync, lchownSync, statSync } from "node:fs";

/** Gives a file to the owner of the folder it is in. Does nothing for other accounts than root. */
export function giveToOwner(file: number | string, folder: string): void {
  if (process.geteuid?.() !== 0) return;
  const { uid, gid } = statSync(folder);
  if (uid === 0) return;
  if (typeof file === "number") fchownSync(file, uid, gid);
  else lchownSync(file, uid, gid);
}
