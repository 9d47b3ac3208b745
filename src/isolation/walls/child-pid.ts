/** The PID of the process behind bubblewrap, which bubblewrap reports on descriptor 4. */
import type { Readable } from "node:stream";

/** Characters kept of bubblewrap's status output. */
const STATUS_CHARS = 4096;

/** Calls `told` once with the PID, when `status` reports it. */
export function readChildPid(status: Readable, told: (pid: number) => void): void {
  let text = "";
  let done = false;
  status.setEncoding("utf8").on("data", (part: string) => {
    if (done) return;
    text = (text + part).slice(0, STATUS_CHARS);
    const pid = /"child-pid": (\d+)/.exec(text)?.[1];
    if (pid === undefined) return;
    done = true;
    told(Number(pid));
  });
}

/** Kills a process that may have ended already. */
export function killPid(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended already.
  }
}
