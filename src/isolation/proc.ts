/** Memory, CPU time and priority of another process, from Linux. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { getPriority, setPriority } from "node:os";
import { WALLS } from "./limits.js";

/** Milliseconds per tick of /proc/PID/stat: the kernel's interface has a hundred ticks a second on every architecture. */
const TICK_MS = 10;

/** Returns a process's resident memory in mebibytes; 0 if unknown. */
export function residentMb(pid: number): number {
  try {
    return Number(/^VmRSS:\s*(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

/**
 * Lowers a process's priority as far as the system allows: a courtesy to its neighbours, not a wall. Returns false while part
 * of it must wait: where the kernel shares the CPU by session (autogroup), the process has to start its own session first.
 */
export function lowerPriority(pid: number): boolean {
  for (const thread of threadsOf(pid)) {
    try {
      setPriority(thread, WALLS.niceness);
    } catch {
      // It has ended, or may not be changed.
    }
  }
  try {
    // A process's own niceness counts only within its session.
    if (existsSync(`/proc/${pid}/autogroup`)) {
      if (!leadsSession(pid)) return false;
      writeFileSync(`/proc/${pid}/autogroup`, String(WALLS.niceness));
    }
    return true;
  } catch (error) {
    // A process that is not root may set a session's niceness ten times a second (EAGAIN). Any other error: it has ended, or
    // may not be changed.
    return (error as NodeJS.ErrnoException).code !== "EAGAIN";
  }
}

/**
 * Gives a process the platform's own priority again. Returns false while part of that must wait. Without the right to raise a
 * priority (see `mayRaisePriority`), restores only the session's.
 */
export function restorePriority(pid: number): boolean {
  const own = getPriority();
  let changed = false;
  for (const thread of threadsOf(pid)) {
    try {
      if (getPriority(thread) === own) continue;
      setPriority(thread, own);
      changed = true;
    } catch {
      // It has ended, or may not be changed.
    }
  }
  // A thread that was started meanwhile may have the old priority.
  if (changed) return false;
  try {
    if (existsSync(`/proc/${pid}/autogroup`) && leadsSession(pid)) writeFileSync(`/proc/${pid}/autogroup`, "0");
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "EAGAIN";
  }
}

/** CAP_SYS_NICE, as a bit of a set of capabilities. */
const SYS_NICE = 1n << 23n;

/** Returns true if a priority that the platform has lowered can be raised again: the kernel asks the first user namespace. */
export function mayRaisePriority(): boolean {
  try {
    if (!/^\s*0\s+0\s+4294967295\s*$/.test(readFileSync("/proc/self/uid_map", "latin1"))) return false;
    const set = /^CapEff:\s*([0-9a-f]+)/m.exec(readFileSync("/proc/self/status", "latin1"))?.[1] ?? "0";
    return (BigInt(`0x${set}`) & SYS_NICE) !== 0n;
  } catch {
    return false;
  }
}

function threadsOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map(Number);
  } catch {
    return [];
  }
}

/** Returns false while it is still in its parent's session: a niceness set for that session would apply to the parent too. */
function leadsSession(pid: number): boolean {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[3]) === pid;
}

/** Returns the CPU time a process has used, all threads together, in milliseconds; 0 if unknown. */
export function cpuMs(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
  } catch {
    return 0;
  }
}
