/** Memory and processor time of another process, as Linux tells them. */
import { readFileSync } from "node:fs";

/** Milliseconds of a tick of /proc/PID/stat: the kernel's interface has a hundred a second on every architecture. */
const TICK_MS = 10;

/** Resident mebibytes of a process; 0 where that cannot be told. */
export function residentMb(pid: number): number {
  try {
    return Number(/^VmRSS:\s*(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

/** Milliseconds of the processor a process has used, all threads together; 0 where that cannot be told. */
export function cpuMs(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
  } catch {
    return 0;
  }
}
