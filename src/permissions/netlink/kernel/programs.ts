/** Finds the system's programs, and runs `ip` in a namespace. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { IpRunner } from "./ip.js";
import { IpPool } from "./ip-pool.js";

/** Folders that are searched for programs, instead of the platform's PATH. */
export const FOLDERS: readonly string[] = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/** Returns the full path of a program of the system; undefined if it is not installed. */
export function program(name: string): string | undefined {
  return FOLDERS.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

/** Returns a runner of `ip` in a namespace (a name, a path, or the process's own). Each run fails if the namespace does not exist. */
export function runnerIn(netns: string | undefined): IpRunner {
  return new IpRunner(commandIn("ip", netns), netns === undefined ? undefined : netnsPath(netns));
}

/** Returns the same with processes that stand ready. They keep the namespace: call its `close`. */
export function standingRunnerIn(netns: string | undefined): IpRunner {
  const [command, path] = [commandIn("ip", netns), netns === undefined ? undefined : netnsPath(netns)];
  return new IpRunner(command, path, new IpPool(command, path));
}

/** Returns what runs a program of iproute2 in a namespace. */
export function commandIn(name: "ip" | "bridge" | "tc", netns: string | undefined): readonly string[] {
  const file = program(name) ?? name;
  if (netns === undefined) return [file];
  const path = netnsPath(netns);
  return netns === path ? [program("nsenter") ?? "nsenter", `--net=${path}`, file] : [file, "-n", netns];
}

/** Returns the file of a namespace. */
export function netnsPath(netns: string): string {
  return netns.includes("/") ? netns : join("/run/netns", netns);
}
