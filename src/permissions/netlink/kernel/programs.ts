/** Finds the system's programs, and runs `ip` in a namespace. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { IpRunner } from "./ip.js";

/** Folders that are searched for programs, instead of the platform's PATH. */
export const FOLDERS: readonly string[] = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/** Returns the full path of a program of the system; undefined if it is not installed. */
export function program(name: string): string | undefined {
  return FOLDERS.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

/** Returns a runner of `ip` in a namespace (a name, a path, or the process's own). Each run fails if the namespace does not exist. */
export function runnerIn(netns: string | undefined): IpRunner {
  const ip = program("ip") ?? "ip";
  if (netns === undefined) return new IpRunner([ip], undefined);
  const path = netnsPath(netns);
  if (netns !== path) return new IpRunner([ip, "-n", netns], path);
  return new IpRunner([program("nsenter") ?? "nsenter", `--net=${path}`, ip], path);
}

/** Returns the file of a namespace. */
export function netnsPath(netns: string): string {
  return netns.includes("/") ? netns : join("/run/netns", netns);
}
