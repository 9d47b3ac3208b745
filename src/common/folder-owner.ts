/** Whether a folder can hold what root acts on: in a shared folder such as /tmp, another user may have created it first. */

/** What is needed of `lstat`. */
export interface FolderStats {
  readonly uid: number;
  readonly mode: number;
  isDirectory(): boolean;
}

/** Returns why others could write to it; undefined if only root or `user` can. */
export function writableByOthers(found: FolderStats, user: number | undefined): string | undefined {
  if (!found.isDirectory()) return "it is not a folder";
  if (found.uid !== 0 && found.uid !== user) return `it belongs to user ${found.uid}`;
  const mode = (found.mode & 0o777).toString(8);
  return (found.mode & 0o022) === 0 ? undefined : `others may write to it: its mode is ${mode}`;
}
