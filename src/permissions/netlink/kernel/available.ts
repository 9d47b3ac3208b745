/** Checks whether the kernel's network and a namespace are available, without running a program. */
import { readFileSync, statSync } from "node:fs";
import { quote } from "../../../common/quote.js";
import { DriverError } from "../../../driverapi/errors.js";
import type { NetlinkBackend } from "../backend.js";
import { KernelBackend } from "./kernel-backend.js";
import { FOLDERS, netnsPath, program, standingRunnerIn } from "./programs.js";

const CAP_NET_ADMIN = 12n;
const CAP_SYS_ADMIN = 21n;

/** Returns why this process cannot change the kernel's network; undefined if it can. */
export function kernelProblem(): string | undefined {
  if (process.platform !== "linux") return `this is ${process.platform}, not Linux`;
  if (program("ip") === undefined)
    return `"ip" is not installed in ${FOLDERS.join(", ")} (Debian: apt install iproute2)`;
  if (!holds(CAP_NET_ADMIN)) return "this process has no CAP_NET_ADMIN (run it as root)";
  return undefined;
}

/** Opens the kernel's network in a namespace: a name under /run/netns, a path, or the process's own. Throws `ERR_OPTIONS`. */
export function openKernel(netns: string | undefined): NetlinkBackend {
  const problem = netns === undefined ? undefined : netnsProblem(netns);
  if (problem !== undefined) throw new DriverError("ERR_OPTIONS", `option "netns": ${problem}`);
  return new KernelBackend(standingRunnerIn(netns), netns);
}

/** Returns why a namespace cannot be entered; undefined if it can. */
export function netnsProblem(netns: string): string | undefined {
  const named = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}$/.test(netns);
  if (!named && !(netns.startsWith("/") && !/[\0\n]/.test(netns))) {
    return `${quote(netns)} is neither a name (letters, digits, _ . -) nor an absolute path`;
  }
  const path = netnsPath(netns);
  try {
    statSync(path);
  } catch {
    const hint = named ? `; make it with: ip netns add ${netns}` : "";
    return `the network namespace ${quote(netns)} does not exist: ${path} is missing${hint}`;
  }
  if (!holds(CAP_SYS_ADMIN)) return "entering a namespace needs CAP_SYS_ADMIN (run it as root)";
  return named || program("nsenter") ? undefined : 'a path needs "nsenter" (Debian: apt install util-linux)';
}

function holds(capability: bigint): boolean {
  try {
    const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
    return effective !== undefined && ((BigInt(`0x${effective}`) >> capability) & 1n) === 1n;
  } catch {
    return false;
  }
}
