/** Runs the system's programs in one network namespace, without a shell. */

import type { IpOutcome } from "../../netlink/kernel/ip.js";
import { FOLDERS, netnsPath, program } from "../../netlink/kernel/programs.js";
import { NETLINK } from "../../netlink/limits.js";
import { failed } from "../errors.js";
import { execute } from "./run.js";

/** Programs used, and their Debian packages. */
const PACKAGES = {
  nft: "nftables",
  ss: "iproute2",
  ip: "iproute2",
  iptables: "iptables",
  ip6tables: "iptables",
  "firewall-cmd": "firewalld",
  conntrack: "conntrack",
  cat: "coreutils",
  tee: "coreutils",
} as const;
export type ToolName = keyof typeof PACKAGES;

const CHANGE_RULES: ReadonlySet<ToolName> = new Set(["nft", "iptables", "ip6tables"]);

/** PIDs of programs that were run here and may have changed rules. */
const OWN = new Set<number>();

/** Returns true, once, for the PID of a program that was run here and may have changed rules. */
export function wasOurs(pid: number): boolean {
  return OWN.delete(pid);
}

export class Tools {
  /** The namespace's file; undefined: the process's own namespace. */
  readonly netns: string | undefined;
  /** `netns`: a name, a path, or the process's own. */
  constructor(netns: string | undefined) {
    this.netns = netns === undefined ? undefined : netnsPath(netns);
  }

  /** The command that enters the namespace; a program's own words follow it. */
  get enter(): readonly string[] {
    return this.netns === undefined ? [] : [program("nsenter") ?? "nsenter", `--net=${this.netns}`];
  }

  has(name: ToolName): boolean {
    return program(name) !== undefined;
  }

  /** Returns the command that runs a program in the namespace. Throws `ERR_FIREWALL_FAILED` if it is not installed. */
  command(op: string, name: ToolName, args: readonly string[]): readonly string[] {
    const path = program(name);
    if (path === undefined) {
      const hint = `Debian: apt install ${PACKAGES[name]}`;
      throw failed(undefined, op, `"${name}" is not installed in ${FOLDERS.join(", ")} (${hint})`);
    }
    return [...this.enter, path, ...args];
  }

  /** Runs a program; returns its outcome. Rejects if it is not installed. */
  async try(op: string, name: ToolName, args: readonly string[], input = ""): Promise<IpOutcome> {
    return execute(this.command(op, name, args), input, (pid) => {
      if (!CHANGE_RULES.has(name)) return;
      OWN.add(pid);
      // Most are removed when their change is notified; this forgets programs that only read.
      setTimeout(() => OWN.delete(pid), NETLINK.runMs).unref();
    });
  }

  /** Runs a program; returns its output. Rejects with `ERR_FIREWALL_FAILED` if it fails. */
  async run(op: string, name: ToolName, args: readonly string[], input = ""): Promise<string> {
    const outcome = await this.try(op, name, args, input);
    if (outcome.code !== 0) throw failed(undefined, op, complaint(outcome, name));
    return outcome.stdout;
  }
}

/** Returns the first line of a program's error output; nft repeats its input after it. */
export function complaint({ stderr, code }: IpOutcome, name: string): string {
  const said = stderr
    .split("\n")
    .map((line) => line.trim())
    .find((line) => line !== "");
  return said ?? `${name} ended with ${code} and said nothing`;
}
