/** The system's programs, run in one network namespace. Never a shell. */

import type { IpOutcome } from "../../netlink/kernel/ip.js";
import { FOLDERS, netnsPath, program } from "../../netlink/kernel/programs.js";
import { NETLINK } from "../../netlink/limits.js";
import { failed } from "../errors.js";
import { execute } from "./run.js";

/** Programs used, and the Debian packages they come in. */
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

/** Process ids of programs that were run and that may have changed rules. */
const OWN = new Set<number>();

/** True, once, for a program that was run here and may have changed rules. */
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

  /** The words ahead of a program's own by which it is started in the namespace. */
  get enter(): readonly string[] {
    return this.netns === undefined ? [] : [program("nsenter") ?? "nsenter", `--net=${this.netns}`];
  }

  has(name: ToolName): boolean {
    return program(name) !== undefined;
  }

  /** The words by which a program is started in the namespace. Rejects with `ERR_FIREWALL_FAILED` where it is not installed. */
  command(op: string, name: ToolName, args: readonly string[]): readonly string[] {
    const path = program(name);
    if (path === undefined) {
      const hint = `Debian: apt install ${PACKAGES[name]}`;
      throw failed(undefined, op, `there is no "${name}" in ${FOLDERS.join(", ")} (${hint})`);
    }
    return [...this.enter, path, ...args];
  }

  /** Runs a program, and gives what came of it. Rejects where it is not installed. */
  async try(op: string, name: ToolName, args: readonly string[], input = ""): Promise<IpOutcome> {
    return execute(this.command(op, name, args), input, (pid) => {
      if (!CHANGE_RULES.has(name)) return;
      OWN.add(pid);
      // Most are taken out when the change is told; a program that only looked is forgotten.
      setTimeout(() => OWN.delete(pid), NETLINK.runMs).unref();
    });
  }

  /** Gives what a program printed. Rejects with `ERR_FIREWALL_FAILED` when it fails. */
  async run(op: string, name: ToolName, args: readonly string[], input = ""): Promise<string> {
    const outcome = await this.try(op, name, args, input);
    if (outcome.code !== 0) throw failed(undefined, op, complaint(outcome, name));
    return outcome.stdout;
  }
}

/** The first line a program said; nft repeats its input after it. */
export function complaint({ stderr, code }: IpOutcome, name: string): string {
  const said = stderr
    .split("\n")
    .map((line) => line.trim())
    .find((line) => line !== "");
  return said ?? `${name} ended with ${code} and said nothing`;
}
