/** Finds a platform's spawner, and who started a process. */
import { readdirSync, readFileSync } from "node:fs";

/** Fields of /proc/PID/stat after the name; undefined when it has gone. */
function stat(pid: number): readonly string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    return text.slice(text.lastIndexOf(")") + 2).split(" ");
  } catch {
    return undefined;
  }
}

export const parentOf = (pid: number): number | undefined => {
  const parent = stat(pid)?.[1];
  return parent === undefined ? undefined : Number(parent);
};

export const runs = (pid: number): boolean => !["Z", "X", undefined].includes(stat(pid)?.[0]);

/** Returns the PID of the spawner of platform `pid`; undefined where it has none. */
export function spawnerOf(pid: number): number | undefined {
  return readdirSync("/proc")
    .map(Number)
    .find((one) => {
      if (!Number.isInteger(one) || parentOf(one) !== pid || !runs(one)) return false;
      try {
        return readFileSync(`/proc/${one}/cmdline`, "latin1").includes("/dist/spawner/main.js");
      } catch {
        return false;
      }
    });
}
