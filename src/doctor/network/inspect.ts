/** Reads a network namespace: chains, rules, switches and links. Changes nothing. */
import { existsSync, readFileSync } from "node:fs";
import { release } from "node:os";
import { isJsonObject, type Json } from "../../driverapi/json.js";
import { ZONE } from "../../permissions/firewall/kernel/firewalld.js";
import { MARK } from "../../permissions/firewall/kernel/mark-rules.js";
import { readTable } from "../../permissions/firewall/ledger.js";
import { kernelProblem } from "../../permissions/netlink/kernel/available.js";
import { execute } from "../../permissions/netlink/kernel/ip.js";
import type { IpOutcome } from "../../permissions/netlink/kernel/outcome.js";
import { netnsPath, program } from "../../permissions/netlink/kernel/programs.js";
import { FIREWALLD_TABLE, IPTABLES, type NetworkFacts, PROGRAMS, SWITCHES } from "./facts.js";

/** Collects the facts. `netns`: a name, a path, or the process's own; `prefixes`: of granted bridges' names. Never rejects. */
export async function inspectNetwork(netns: string | undefined, prefixes: readonly string[]): Promise<NetworkFacts> {
  const path = netns === undefined ? undefined : netnsPath(netns);
  const enter = path === undefined ? [] : [program("nsenter") ?? "nsenter", `--net=${path}`];
  const run = async (name: string, ...args: readonly string[]): Promise<IpOutcome> => {
    const [first = name, ...rest] = [...enter, program(name) ?? name, ...args];
    return execute(first, rest, "");
  };
  const programs = new Set(Object.keys(PROGRAMS).filter((name) => program(name) !== undefined));
  // Files of /proc/sys/net show the reader's own namespace.
  const switches = readSwitches((await run("grep", "-Hs", "[01]", ...Object.values(SWITCHES))).stdout);
  const unseen = { nftFailure: undefined, filter: { 4: [], 6: [] }, bridges: [], trusted: undefined };
  const vxlan = moduleState("vxlan");
  const inaccessible = kernelProblem();
  if (inaccessible !== undefined)
    return { netns: path, inaccessible, programs, switches, vxlan, ...NOTHING, ...unseen };

  const listed = programs.has("nft") ? await run("nft", "-j", "list", "ruleset") : undefined;
  const ruleset = listed?.code === 0 ? readRuleset(listed.stdout) : undefined;
  const nftFailure = listed === undefined || ruleset !== undefined ? undefined : lastLine(listed);
  const { tables } = ruleset ?? NOTHING;
  const legacy = (await run("grep", "-hs", "filter", LEGACY[4])).stdout !== "";
  const legacy6 = (await run("grep", "-hs", "filter", LEGACY[6])).stdout !== "";
  // Runs `iptables` only if its table exists: running it would create the table.
  const filter = {
    4: legacy || tables.has("ip filter") ? await filterOf(4, run) : [],
    6: legacy6 || tables.has("ip6 filter") ? await filterOf(6, run) : [],
  };
  const bridges = readBridges((await run("ip", "-o", "link", "show", "type", "bridge")).stdout, prefixes);
  const trusted =
    tables.has(FIREWALLD_TABLE) && programs.has("firewall-cmd")
      ? await run("firewall-cmd", `--zone=${ZONE}`, "--list-interfaces")
      : undefined;
  return {
    ...{ netns: path, inaccessible, programs, switches, vxlan, nftFailure, filter, bridges },
    ...(ruleset ?? NOTHING),
    trusted: trusted?.code === 0 ? trusted.stdout.trim().split(/\s+/).filter(Boolean) : undefined,
  };
}

/** Finds a module of the running kernel's, without loading it. */
function moduleState(name: string): NetworkFacts["vxlan"] {
  // One that is built in is here too, if it has parameters.
  if (existsSync(`/sys/module/${name}`)) return "loaded";
  const folder = `/lib/modules/${release()}`;
  try {
    const known = ["modules.builtin", "modules.dep"].map((file) => readFileSync(`${folder}/${file}`, "utf8"));
    return known.some((text) => text.includes(`/${name}.ko`)) ? "loadable" : "absent";
  } catch {
    return "unseen";
  }
}

/** Files in which the kernel lists the tables of legacy iptables, by family. */
const LEGACY: Readonly<Record<4 | 6, string>> = {
  4: "/proc/net/ip_tables_names",
  6: "/proc/net/ip6_tables_names",
};

type Run = (name: string, ...args: readonly string[]) => Promise<IpOutcome>;

async function filterOf(family: 4 | 6, run: Run): Promise<readonly string[]> {
  const { stdout, code } = await run(IPTABLES[family], "-S");
  return code === 0 ? stdout.trim().split("\n") : [];
}

function readSwitches(stdout: string): ReadonlyMap<string, string> {
  return new Map(
    stdout.split("\n").flatMap((line): [string, string][] => {
      const [, file, value] = /^(\/[^:]+):(\d)$/.exec(line) ?? [];
      return file === undefined || value === undefined ? [] : [[file, value]];
    }),
  );
}

/** Reads lines such as `7: bh-n1a2b3: <BROADCAST,…> …`. */
function readBridges(stdout: string, prefixes: readonly string[]): readonly string[] {
  const names = stdout.split("\n").flatMap((line) => /^\d+: ([^:@\s]+)/.exec(line)?.[1] ?? []);
  return names.filter((name) => prefixes.some((prefix) => name.startsWith(`${prefix}-`)));
}

type Ruleset = Pick<NetworkFacts, "tables" | "forwardChains" | "marked" | "natFamilies">;

const NOTHING: Ruleset = { tables: new Set(), forwardChains: [], marked: new Set(), natFamilies: new Set() };

/** Reads the ruleset; undefined if it is not JSON. */
function readRuleset(stdout: string): Ruleset | undefined {
  const printed = parsed(stdout);
  if (printed === undefined) return undefined;
  const rows = isJsonObject(printed) && Array.isArray(printed.nftables) ? printed.nftables : [];
  const of = (kind: string): readonly { readonly [key: string]: Json }[] =>
    rows.flatMap((row: Json) => {
      const one = isJsonObject(row) ? row[kind] : undefined;
      return one !== undefined && isJsonObject(one) ? [one] : [];
    });
  const rules = of("rule").map(({ family, table, chain, expr }) => ({
    ...{ family, table, chain },
    text: JSON.stringify(expr ?? null),
  }));
  const marked = rules.filter(({ text }) => isOnMark(text));
  const leading = rules.filter(
    ({ table, text }) => readTable(String(table)) !== undefined && /"masquerade":|"dnat":/.test(text),
  );
  return {
    tables: new Set(of("table").map(({ family, name }) => `${family} ${name}`)),
    forwardChains: of("chain")
      .filter(({ hook }) => hook === "forward")
      .map(({ family, table, name, policy }) => ({
        family: String(family),
        table: String(table),
        name: String(name),
        policy: String(policy ?? "accept"),
      })),
    marked: new Set(
      marked.flatMap(({ family, table, chain }) => [`${family} ${table} ${chain}`, `${family} ${table}`]),
    ),
    natFamilies: new Set(leading.map(({ text }) => (text.includes('"ip6"') ? 6 : 4))),
  };
}

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text === "" ? "{}" : text) as Json;
  } catch {
    return undefined;
  }
}

/** Returns whether a rule accepts packets with our mark, which nft prints as a number. */
function isOnMark(expr: string): boolean {
  return expr.includes('{"meta":{"key":"mark"}}') && expr.includes(String(MARK)) && expr.includes('{"accept":null}');
}

function lastLine({ stdout, stderr, code }: IpOutcome): string {
  return `${stderr}\n${stdout}`.trim().split("\n").at(-1)?.trim() || `it ended with ${code}`;
}
