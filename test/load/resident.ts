/** Resident memory of this process and of all below it, as Linux tells it. */
import { readFileSync } from "node:fs";

/** In mebibytes. */
export function familyMb(): number {
  return below(process.pid).reduce((sum, pid) => sum + residentMb(pid), 0);
}

function below(pid: number): readonly number[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1").trim();
    const pids = children === "" ? [] : children.split(" ").map(Number);
    return [pid, ...pids.flatMap(below)];
  } catch {
    return [];
  }
}

/** Of one process, in mebibytes. */
export function residentMb(pid: number): number {
  try {
    return Number(/^VmRSS:\s*(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}
