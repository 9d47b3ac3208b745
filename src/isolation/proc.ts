/** Memory, processor time and priority of another process, as Linux has them. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { setPriority } from "node:os";
import { WALLS } from "../protocol/limits.js";

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

/**
 * A process lets others go first; as far as the system allows: it is a courtesy to its neighbours, no wall. False while not all
 * of it can be done: where the kernel shares the processor out by session, the process has to begin one of its own first.
 */
export function lowerPriority(pid: number): boolean {
  for (const thread of threadsOf(pid)) {
    try {
      setPriority(thread, WALLS.niceness);
    } catch {
      // It has ended, or may not be touched.
    }
  }
  try {
    // A process's own figure counts within its session alone.
    if (existsSync(`/proc/${pid}/autogroup`)) {
      if (!leadsSession(pid)) return false;
      writeFileSync(`/proc/${pid}/autogroup`, String(WALLS.niceness));
    }
    return true;
  } catch (error) {
    // Whoever is not root may set a session's figure ten times a second. Else it has ended, or may not be touched.
    return (error as NodeJS.ErrnoException).code !== "EAGAIN";
  }
}

function threadsOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map(Number);
  } catch {
    return [];
  }
}

/** False while it is still in the session of whoever started it: what is set for that session would hold for them too. */
function leadsSession(pid: number): boolean {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[3]) === pid;
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
