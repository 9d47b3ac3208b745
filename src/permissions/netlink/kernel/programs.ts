/** Where the system's programs are, and how `ip` is run in a namespace. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { IpRunner } from "./ip.js";

/** Where programs are looked for: the platform's own PATH is not asked. */
export const FOLDERS: readonly string[] = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/** The full path of a program of the system's; undefined where there is none. */
export function program(name: string): string | undefined {
  return FOLDERS.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

/** Runs `ip` in a namespace (a name, a path, or the process's own); one that does not exist shows when it is run. */
export function runnerIn(netns: string | undefined): IpRunner {
  const ip = program("ip") ?? "ip";
  if (netns === undefined) return new IpRunner([ip], undefined);
  const path = netnsPath(netns);
  if (netns !== path) return new IpRunner([ip, "-n", netns], path);
  return new IpRunner([program("nsenter") ?? "nsenter", `--net=${path}`, ip], path);
}

/** The file by which a namespace is entered. */
export function netnsPath(netns: string): string {
  return netns.includes("/") ? netns : join("/run/netns", netns);
}
