/** The process that has a port, as `ss -p` prints it: `users:(("nginx",pid=77,fd=6))`. */
import { execFile } from "node:child_process";
import { isIPv6 } from "node:net";
import { ENV } from "../../netlink/kernel/ip.js";
import { program } from "../../netlink/kernel/programs.js";
import { NETLINK } from "../../netlink/limits.js";
import type { HeldPort } from "../holder/messages.js";

/** `process nginx (pid 77)`; undefined where that cannot be found. `host`: the address that was not free. Never rejects. */
export function portOwner(
  enter: readonly string[],
  { protocol, hostPort }: Pick<HeldPort, "protocol" | "hostPort">,
  host: string,
): Promise<string | undefined> {
  const ss = program("ss");
  if (ss === undefined) return Promise.resolve(undefined);
  const kind = protocol === "tcp" ? "-t" : "-u";
  const [command = "", ...args] = [...enter, ss, "-H", "-l", "-n", "-p", kind, `sport = :${hostPort}`];
  return new Promise((resolve) => {
    execFile(command, args, { env: ENV, timeout: NETLINK.runMs, maxBuffer: NETLINK.outputBytes }, (error, stdout) =>
      resolve(error ? undefined : readOwner(stdout, host)),
    );
  });
}

/** The first line whose address stands in the way of `host`, by its own text, a wildcard, or any where `host` is one. */
function readOwner(printed: string, host: string): string | undefined {
  const rows = printed.split("\n").flatMap((line) => {
    // A process names itself, and `ss` prints the name as it is: only the end of the line is certain to be its own.
    const [, address = "", name = "", pid = ""] =
      /\s(\S+):\d+\s+\S+\s+users:\(\((?:.*\),\()?"(.*)",pid=(\d+),fd=\d+\)\)\s*$/.exec(line) ?? [];
    return pid === "" ? [] : [{ address: address.replace(/%[^\]]*/, "").replace(/^\[|\]$/g, ""), name, pid }];
  });
  const six = isIPv6(host);
  const inTheWay = rows.find(({ address }) => {
    if (address === host || address === "*") return true;
    if (isIPv6(address) !== six) return false;
    return ["0.0.0.0", "::"].some((all) => all === address || all === host);
  });
  if (!inTheWay) return undefined;
  const { name, pid } = inTheWay;
  return /^[\w.:/@ -]+$/.test(name) ? `process ${name} (pid ${pid})` : `process ${pid}`;
}
