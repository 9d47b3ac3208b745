/** What a test asks of its own process. */
import { readdirSync, readFileSync } from "node:fs";

/** Looks are this far apart, in milliseconds, and so many in a row must find nothing at work. */
const LOOK_MS = 5;
const LOOKS = 10;

/**
 * Resolves when no other thread of this process has worked, or waited for a processor, for a while: what was started in it is done. For
 * what gives no event of its own. Rejects after `ms` milliseconds.
 */
export async function idle(ms = 10_000): Promise<void> {
  const end = performance.now() + ms;
  for (let quiet = 0; quiet < LOOKS; quiet = working() ? 0 : quiet + 1) {
    if (performance.now() > end) throw new Error(`the process was still busy after ${ms} ms`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

/** True if a thread other than the one that asks runs, is ready to, or waits for a disk. */
function working(): boolean {
  return readdirSync("/proc/self/task").some((id) => {
    if (id === String(process.pid)) return false;
    try {
      return /^\d+ \(.*\) [RD]/s.test(readFileSync(`/proc/self/task/${id}/stat`, "latin1"));
    } catch {
      // It has just ended.
      return true;
    }
  });
}
