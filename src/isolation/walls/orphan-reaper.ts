/**
 * Kills what bubblewrap leaves behind when the platform is killed. A process that bubblewrap has just started waits for
 * bubblewrap, which dies with the platform; if that happens too early, the process would wait forever. So a shell of the same
 * account waits for the platform's end, and then finds such processes by the runtime folder in their command line.
 */
import type { Socket } from "node:net";
import { startBehind } from "./start.js";
import type { WallCommand } from "./wall.js";

/**
 * `folder`, the text to look for in command lines, arrives on descriptor 3 so that it is not in the reaper's own command line. A
 * process that was only just being started when the platform ended may appear late.
 */
const REAP = `read -r folder <&3 || exit
read -r _ <&3
for turn in 1 2 3 4 5 6 7 8 9 10; do
  sleep 0.15
  printf %s "$folder" | grep -lsF -f - /proc/[0-9]*/cmdline | while IFS=/ read -r _ _ pid _; do
    read -r name < /proc/$pid/comm && [ "$name" = bwrap ] && kill -9 $pid
  done
done 2>/dev/null`;

export interface OrphanReaper {
  /** Ends the reaper: the host processes have ended. */
  release(): void;
}

/**
 * Starts the reaper; throws when no process can be started. `account`: the account of the processes it may have to kill;
 * absent: the platform's.
 */
export function startOrphanReaper(folder: string, account: WallCommand["account"]): OrphanReaper {
  const child = startBehind(
    { command: "/bin/sh", args: ["-c", REAP], ...(account ? { account } : {}), tellsPid: false },
    { stdout: "ignore", link: true },
  );
  const link = child.stdio[3] as Socket;
  child.on("error", () => {});
  link.on("error", () => {});
  link.write(`${folder}\n`);
  child.unref();
  link.unref();
  (child.stderr as Socket | null)?.destroy();
  return { release: () => void child.kill("SIGKILL") };
}
