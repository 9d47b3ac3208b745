/**
 * Ends what bubblewrap leaves behind when the platform is killed. A process that bubblewrap has just started waits for its word;
 * bubblewrap dies with the platform, and if that is before the word was given, the other would wait for ever. So a shell of the
 * same account waits for the platform's end, and then looks for those by the runtime folder in their command line.
 */
import type { Socket } from "node:net";
import { startBehind } from "./start.js";
import type { WallCommand } from "./wall.js";

/**
 * $1: what stands in their command line and, since it comes by descriptor 3, not in the keeper's own. One that was only just
 * being started when the platform ended may come late.
 */
const KEEP = `read -r folder <&3 || exit
read -r _ <&3
for turn in 1 2 3 4 5 6 7 8 9 10; do
  sleep 0.15
  printf %s "$folder" | grep -lsF -f - /proc/[0-9]*/cmdline | while IFS=/ read -r _ _ pid _; do
    read -r name < /proc/$pid/comm && [ "$name" = bwrap ] && kill -9 $pid
  done
done 2>/dev/null`;

export interface Keeper {
  /** Nothing is left to be ended. */
  release(): void;
}

/** Throws where nothing can be started. `account`: as whom the processes run that it may have to end; absent: as the platform. */
export function keep(folder: string, account: WallCommand["account"]): Keeper {
  const child = startBehind(
    { command: "/bin/sh", args: ["-c", KEEP], ...(account ? { account } : {}), tellsPid: false },
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
