/** Finds the process that has a port, as `ss -p` prints it: `users:(("nginx",pid=77,fd=6))`. */
import { execFile } from "node:child_process";
import { isIPv6 } from "node:net";
import { ENV } from "../../netlink/kernel/ip-outcome.js";
import { program } from "../../netlink/kernel/programs.js";
import { NETLINK } from "../../netlink/limits.js";
import type { HeldPort } from "../holder/messages.js";

/** Returns `process nginx (pid 77)`; undefined if it cannot be found. `host`: the address that was not free. Never rejects. */
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

/** Returns the first line whose address conflicts with `host`: equal, or one of the two is a wildcard. */
function readOwner(printed: string, host: string): string | undefined {
  const rows = printed.split("\n").flatMap((line) => {
    // A process chooses its name, which `ss` prints unescaped: only the end of the line can be trusted.
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
