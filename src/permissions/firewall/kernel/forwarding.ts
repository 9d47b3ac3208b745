/**
 * Switches the kernel's forwarding, by family. If it was off, a guard keeps the machine from routing for others: a table that runs after
 * our marks and before other programs' filters, and that also records that we switched forwarding on.
 */
import { isJsonObject, type Json } from "../../../driverapi/json.js";
import type { ForwardingEnd, GuardedLinks } from "../backend.js";
import { GUARD, guardOf } from "../ledger.js";
import { equal, from, OPEN, STATUS, to } from "./expressions.js";
import { MARK } from "./mark-rules.js";
import type { Tools } from "./tools.js";

type Family = 4 | 6;

/** The kernel's settings. */
const SWITCHES: Readonly<Record<Family, string>> = {
  4: "/proc/sys/net/ipv4/ip_forward",
  6: "/proc/sys/net/ipv6/conf/all/forwarding",
};

const FAMILIES: readonly Family[] = [4, 6];
const PRIORITY = -5;

export class Forwarding {
  readonly #tools: Tools;
  readonly #guard: string;
  /** The guarded families, and the guard's prefixes; undefined: not read yet. */
  #guarded: Set<Family> | undefined;
  /** Families that were off before us and are now on for others: guarded again while we have rules. */
  readonly #wereOff = new Set<Family>();
  #known: string | undefined;

  /** `ledger`: part of the guard's name. */
  constructor(tools: Tools, ledger: string) {
    this.#tools = tools;
    this.#guard = guardOf(ledger);
  }

  /** True while the guard has to be in place. */
  get guarded(): boolean {
    return this.#guarded !== undefined && this.#guarded.size > 0;
  }

  /**
   * Lets the namespace forward packets of these families; returns those that were off, which are now guarded.
   * `again`: adds the guard even if it should exist already.
   */
  async open(families: readonly Family[], links: GuardedLinks, again: boolean): Promise<readonly Family[]> {
    const off = await this.#areOff(families);
    this.#guarded ??= new Set(familiesOf(await this.#guards()));
    const known = JSON.stringify([links.prefixes, links.ours, links.uplinks].map((names) => [...names].sort()));
    for (const family of [...off, ...families.filter((one) => this.#wereOff.has(one))]) this.#guarded.add(family);
    if (this.#guarded.size > 0 && (again || off.length > 0 || known !== this.#known)) {
      await this.#nft(guard(this.#guard, [...this.#guarded], links));
      this.#known = known;
    }
    if (off.length === 0) return [];
    const files = off.map((family) => SWITCHES[family]);
    await this.#tools.write("forward", files, "1");
    return off;
  }

  /** Removes every guard, and switches off what was off before us. Call it when no table of ours is left. */
  async close(): Promise<ForwardingEnd> {
    this.#guarded = undefined;
    this.#known = undefined;
    const chains = await this.#chains();
    const guards = chains.filter(isGuard);
    if (guards.length === 0) return { off: [], left: [], others: [] };
    const families = familiesOf(guards);
    const others = await this.#others(chains);
    const files = families.map((family) => SWITCHES[family]);
    if (others.length === 0) await this.#tools.write("forward", files, "0");
    const tables = [...new Set(guards.map(({ table }) => table))];
    const commands = tables.map((name): Json => ({ delete: { table: { family: "inet", name } } }));
    await this.#nft(commands, tables);
    if (others.length === 0) return { off: families, left: [], others };
    for (const family of families) this.#wereOff.add(family);
    return { off: [], left: families, others };
  }

  async #guards(): Promise<readonly Chain[]> {
    return (await this.#chains()).filter(isGuard);
  }

  async #areOff(families: readonly Family[]): Promise<readonly Family[]> {
    const files = families.map((family) => SWITCHES[family]);
    const now = await this.#tools.read("forward", files);
    return families.filter((_, index) => now[index] === "0");
  }

  /** Returns what needs forwarding besides us: an engine's chains, and bridges that are not ours. */
  async #others(chains: readonly Chain[]): Promise<readonly string[]> {
    const engine = chains.some(({ name }) => name === "DOCKER-USER") ? ["the chain DOCKER-USER of an engine"] : [];
    const printed = await this.#tools.run("forward", "ip", ["-json", "-details", "link", "show", "type", "bridge"]);
    const rows = printed.trim() === "" ? [] : (JSON.parse(printed) as readonly Json[]);
    const bridges = rows.flatMap((row) => {
      if (!isJsonObject(row) || typeof row.ifname !== "string") return [];
      return typeof row.ifalias === "string" && row.ifalias.startsWith("bulkhead:") ? [] : [`bridge ${row.ifname}`];
    });
    return [...engine, ...bridges];
  }

  async #chains(): Promise<readonly Chain[]> {
    if (!this.#tools.has("nft")) return [];
    const printed = JSON.parse(await this.#tools.run("forward", "nft", ["-j", "list", "chains"])) as Json;
    const rows = isJsonObject(printed) && Array.isArray(printed.nftables) ? printed.nftables : [];
    return rows.flatMap((row: Json) => {
      const chain = isJsonObject(row) ? row.chain : undefined;
      if (chain === undefined || !isJsonObject(chain)) return [];
      const { table, name } = chain;
      return typeof table === "string" && typeof name === "string" ? [{ table, name }] : [];
    });
  }

  async #nft(commands: readonly Json[], removes: readonly string[] = []): Promise<void> {
    await this.#tools.run("forward", "nft", ["-j", "-f", "-"], JSON.stringify({ nftables: [...commands] }), removes);
  }
}

interface Chain {
  readonly table: string;
  readonly name: string;
}

function isGuard({ table }: Chain): boolean {
  return table.startsWith(GUARD);
}

function familiesOf(guards: readonly Chain[]): readonly Family[] {
  return FAMILIES.filter((family) => guards.some(({ name }) => name === chainOf(family)));
}

function chainOf(family: Family): string {
  return `ipv${family}`;
}

/**
 * Returns the guard's chains, one per family. They let new packets pass that a network of ours allows, that are for a published port, or
 * that come from a bridge which is not an uplink.
 */
function guard(name: string, families: readonly Family[], { prefixes, ours, uplinks }: GuardedLinks): readonly Json[] {
  const inTable = { family: "inet", table: name };
  return [
    { add: { table: { family: "inet", name } } },
    ...families.flatMap((family): readonly Json[] => {
      const chain = { ...inTable, name: chainOf(family) };
      const rule = (...expr: Json[]): Json => ({ add: { rule: { ...inTable, chain: chain.name, expr } } });
      const foreign: readonly Json[] = [
        equal({ meta: { key: "nfproto" } }, `ipv${family}`),
        { match: { op: "in", left: { ct: { key: "state" } }, right: ["new", "invalid", "untracked"] } },
        equal({ "&": [{ meta: { key: "mark" } }, MARK] }, 0),
        equal({ "&": [STATUS, "dnat"] }, 0),
      ];
      // Within an uplink, packets are bridged, not routed.
      const fromOutside: readonly (readonly Json[])[] = [
        [{ match: { op: "!=", left: { meta: { key: "iifkind" } }, right: "bridge" } }],
        ...uplinks.map((uplink) => [from("==", uplink), to("!=", uplink)]),
        // Packets that a network of ours may send are marked. Only the guard protects an engine's bridge where we enabled forwarding.
        ...ours.map((prefix) => [from("==", `${prefix}-*`)]),
      ];
      return [
        { add: { chain: { ...chain, type: "filter", hook: "forward", prio: PRIORITY, policy: "accept" } } },
        { flush: { chain } },
        // The rules below drop no packet of an open connection.
        rule(OPEN, { accept: null }),
        ...prefixes.map((prefix) => rule(to("==", `${prefix}-*`), { accept: null })),
        ...fromOutside.map((ways) => rule(...foreign, ...ways, { drop: null })),
      ];
    }),
  ];
}
