/** Reads what the kernel shows of the ends: links and routes of their namespaces. Changes nothing. */

import { execute } from "../permissions/netlink/kernel/ip.js";
import type { IpOutcome } from "../permissions/netlink/kernel/outcome.js";
import { netnsPath, program } from "../permissions/netlink/kernel/programs.js";
import { canonicalIP } from "./address.js";
import type { Link, Space } from "./facts.js";

/** Reads the links of a namespace: a name, a path, or the host's own. Never rejects. */
export async function readSpace(netns: string | undefined, name: string): Promise<Space> {
  const outcome = await ip(netns, "-json", "-details", "address", "show");
  if (outcome.code !== 0) return { name, links: [], problem: lastLine(outcome) };
  try {
    const rows: unknown = JSON.parse(outcome.stdout || "[]");
    return { name, links: Array.isArray(rows) ? rows.flatMap((row) => readLink(row) ?? []) : [], problem: undefined };
  } catch {
    return { name, links: [], problem: "ip printed no JSON" };
  }
}

/** Asks the kernel of a namespace for its route to an address. Resolves with undefined if it has one, else with its words. */
export async function routeProblem(netns: string, address: string): Promise<string | undefined> {
  const outcome = await ip(netns, address.includes(":") ? "-6" : "-4", "route", "get", address);
  return outcome.code === 0 ? undefined : lastLine(outcome).replace("RTNETLINK answers: ", "");
}

function ip(netns: string | undefined, ...args: readonly string[]): Promise<IpOutcome> {
  const run = program("ip") ?? "ip";
  if (netns === undefined) return execute(run, args, "");
  return execute(program("nsenter") ?? "nsenter", [`--net=${netnsPath(netns)}`, run, ...args], "");
}

type Row = Readonly<Record<string, unknown>>;

function readLink(row: Row): Link | undefined {
  const { ifname, ifindex, flags, address, master, ifalias, link_index, linkinfo, addr_info } = row;
  if (typeof ifname !== "string" || typeof ifindex !== "number") return undefined;
  const is = (flag: string): boolean => Array.isArray(flags) && flags.includes(flag);
  const kind = (linkinfo as Row | undefined)?.info_kind;
  return {
    name: ifname,
    ifindex,
    up: is("UP"),
    carrier: is("LOWER_UP"),
    kind: typeof kind === "string" ? kind : undefined,
    master: typeof master === "string" ? master : undefined,
    peer: typeof link_index === "number" ? link_index : undefined,
    mac: typeof address === "string" ? address : "",
    alias: typeof ifalias === "string" ? ifalias : "",
    addresses: (Array.isArray(addr_info) ? addr_info : []).flatMap((one: Row) =>
      typeof one.local === "string" ? (canonicalIP(one.local) ?? []) : [],
    ),
  };
}

function lastLine({ stdout, stderr, code }: IpOutcome): string {
  return `${stderr}\n${stdout}`.trim().split("\n").at(-1)?.trim() || `ip ended with ${code}`;
}
