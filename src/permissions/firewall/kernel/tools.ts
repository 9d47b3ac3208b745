/** Runs the system's programs in one network namespace, without a shell. */

import { readFile, writeFile } from "node:fs/promises";
import { messageOf } from "../../../common/text.js";
import type { IpOutcome } from "../../netlink/kernel/outcome.js";
import { FOLDERS, netnsPath, program } from "../../netlink/kernel/programs.js";
import { failed } from "../errors.js";
import { ownChangesIn } from "./own-changes.js";
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

/** Arguments with which a program changes rules. */
const CHANGING: Partial<Record<ToolName, readonly string[]>> = {
  nft: ["-f"],
  iptables: ["-I", "-D"],
  ip6tables: ["-I", "-D"],
};

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

  /** Runs a program; returns its outcome. Rejects if it is not installed. `removes`: the tables of ours that it removes. */
  async try(
    op: string,
    name: ToolName,
    args: readonly string[],
    input = "",
    removes: readonly string[] = [],
  ): Promise<IpOutcome> {
    const outcome = execute(this.command(op, name, args), input, (pid) => {
      if (!CHANGING[name]?.some((one) => args.includes(one))) return;
      const made = outcome.then(({ code }) => code === 0);
      ownChangesIn(this.netns).started(pid, { program: name, removes: [...removes].sort(), made });
    });
    return outcome;
  }

  /** Reads settings of the kernel's: files under /proc/sys/net, which are those of the namespace. Rejects as `run` does. */
  async read(op: string, files: readonly string[]): Promise<readonly string[]> {
    if (this.netns !== undefined) return (await this.run(op, "cat", files)).trim().split("\n");
    return this.#settings(op, files, async (file) => (await readFile(file, "utf8")).trim());
  }

  /** Writes a text to settings of the kernel's. Rejects as `run` does. */
  async write(op: string, files: readonly string[], text: string): Promise<void> {
    if (this.netns !== undefined) await this.run(op, "tee", files, text);
    else await this.#settings(op, files, (file) => writeFile(file, text));
  }

  /** Where the namespace is the process's own, no program is needed. */
  async #settings<T>(op: string, files: readonly string[], work: (file: string) => Promise<T>): Promise<readonly T[]> {
    try {
      return await Promise.all(files.map(work));
    } catch (error) {
      throw failed(undefined, op, messageOf(error));
    }
  }

  /** Runs a program as `try` does; returns its output. Rejects with `ERR_FIREWALL_FAILED` if it fails. */
  async run(
    op: string,
    name: ToolName,
    args: readonly string[],
    input = "",
    removes: readonly string[] = [],
  ): Promise<string> {
    const outcome = await this.try(op, name, args, input, removes);
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
