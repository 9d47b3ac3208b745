/** Notices that the reader of a pipe has gone, as in `bulkhead logs -f | head -1`, before the next line is written to it. */
import { spawn } from "node:child_process";

/** Seconds between two looks. */
const INTERVAL = "0.5";

/**
 * Calls `gone` when nothing reads the standard output any more, a pipe, of the process `pid`. Node asks the kernel about a pipe only while it
 * writes; GNU tail polls its own output, and SIGPIPE ends it. Any other tail ends at once, and the next write notices instead.
 */
export function watchReader(pid: number, gone: () => void): () => void {
  const args = ["--follow", `--sleep-interval=${INTERVAL}`, `--pid=${pid}`, "/dev/null"];
  const tail = spawn("tail", args, { stdio: ["ignore", "inherit", "ignore"] });
  tail.on("error", () => {});
  tail.once("exit", (_, signal) => {
    if (signal === "SIGPIPE") gone();
  });
  tail.unref();
  return () => void tail.kill();
}
