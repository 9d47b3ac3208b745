/**
 * Rules of policy routing (ip-rule(8)) that forbid routing of packets from a confined bridge unless our table has marked them.
 * They hold also while another program has removed the table.
 */
import { isJsonObject, type Json } from "../../../driverapi/json.js";
import { ROUTED } from "./confine-rules.js";
import type { Tools } from "./tools.js";

/** The number that marks our rules, as `ip route` numbers the programs that make them; and their place, before all tables but `local`. */
const PROTOCOL = "88";
const PRIORITY = "90";

const FAMILIES = ["-4", "-6"] as const;
type Family = (typeof FAMILIES)[number];

interface Guard {
  readonly family: Family;
  readonly bridge: string;
  /** Its bridge does not exist. */
  readonly detached: boolean;
}

export class RouteGuard {
  readonly #tools: Tools;
  /** True once a rule of ours may exist. */
  #used = false;
  /** True: this kernel has no IPv6. */
  #only4 = false;

  constructor(tools: Tools) {
    this.#tools = tools;
  }

  /** Adds the missing rules for `bridges`. */
  async add(bridges: readonly string[]): Promise<void> {
    if (bridges.length === 0) return;
    this.#used = true;
    const there = await this.#list();
    for (const family of FAMILIES) {
      if (!this.#available(family)) continue;
      const missing = bridges.filter((one) => !there.some((guard) => guard.family === family && guard.bridge === one));
      for (const bridge of missing) await this.#tools.run("isolate", "ip", [family, "rule", "add", ...words(bridge)]);
    }
  }

  /** Removes the rules of bridges that are not among `wanted` and do not exist, or that `ours` accepts. */
  async remove(wanted: readonly string[], ours: (bridge: string) => boolean): Promise<void> {
    if (!this.#used) return;
    for (const { family, bridge, detached } of await this.#list()) {
      if (wanted.includes(bridge) || !(detached || ours(bridge))) continue;
      // Another program may have removed it meanwhile.
      await this.#tools.try("isolate", "ip", [family, "rule", "del", ...words(bridge)]);
    }
  }

  /** Looks for rules that an earlier host left behind. */
  adopt(): void {
    this.#used = true;
  }

  /** Returns the bridges whose rules exist in both families, sorted. */
  async guarded(): Promise<readonly string[]> {
    if (!this.#used) return [];
    const there = await this.#list();
    const [four, six] = FAMILIES.map(
      (family) => new Set(there.flatMap((one) => (one.family === family ? [one.bridge] : []))),
    );
    return [...(four ?? [])].filter((bridge) => this.#only4 || six?.has(bridge)).sort();
  }

  #available(family: Family): boolean {
    return family === "-4" || !this.#only4;
  }

  async #list(): Promise<readonly Guard[]> {
    const listed = await Promise.all(
      FAMILIES.map(async (family) => {
        const listing = ["-json", family, "rule", "list"];
        const { stdout: text, code } = await this.#tools.try("isolate", "ip", listing);
        if (family === "-6") this.#only4 = code !== 0;
        else if (code !== 0) await this.#tools.run("isolate", "ip", listing);
        const rows = JSON.parse(text.trim() === "" ? "[]" : text) as Json;
        return (Array.isArray(rows) ? rows : []).flatMap((row: Json): Guard[] => {
          if (!isJsonObject(row) || String(row.protocol) !== PROTOCOL || typeof row.iif !== "string") return [];
          return [{ family, bridge: row.iif, detached: "iif_detached" in row }];
        });
      }),
    );
    return listed.flat();
  }
}

function words(bridge: string): readonly string[] {
  const mark = `0/0x${ROUTED.toString(16)}`;
  return ["pref", PRIORITY, "iif", bridge, "fwmark", mark, "protocol", PROTOCOL, "prohibit"];
}
