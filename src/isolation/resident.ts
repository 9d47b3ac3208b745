/** Memory of another process, as Linux tells it. */
import { readFileSync } from "node:fs";

const PAGE_MB = 4096 / 1_048_576;

/** Resident mebibytes of a process; 0 where that cannot be told. */
export function residentMb(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, "latin1").split(" ")[1]) * PAGE_MB;
  } catch {
    return 0;
  }
}
