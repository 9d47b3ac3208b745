/** The firewall by nftables: `nft -j -f -`, `ss` for who listens, and the two switches of the kernel's for forwarding. Never a shell. */
import { isJsonObject, type Json } from "../../../driverapi/json.js";
import type { FirewallBackend, FirewallTable, Listener } from "../backend.js";
import { readTable } from "../ledger.js";
import { readListeners } from "./listeners.js";
import { transaction } from "./ruleset.js";
import { Tools } from "./tools.js";

/** The kernel's switches, by family. */
const SWITCHES: Readonly<Record<4 | 6, string>> = {
  4: "/proc/sys/net/ipv4/ip_forward",
  6: "/proc/sys/net/ipv6/conf/all/forwarding",
};

export class NftBackend implements FirewallBackend {
  readonly kind = "kernel";
  readonly #tools: Tools;

  /** `netns`: a name, a path, or the process's own. */
  constructor(netns: string | undefined) {
    this.#tools = new Tools(netns);
  }

  async tables(): Promise<readonly string[]> {
    // Where there is no nft, nobody has made a table of ours; that it is missing is said when it is needed.
    if (!this.#tools.has("nft")) return [];
    const stdout = await this.#tools.run("tables", "nft", ["-j", "list", "tables"]);
    return readTables(stdout).filter((name) => readTable(name) !== undefined);
  }

  async program(put: readonly FirewallTable[], drop: readonly string[]): Promise<void> {
    await this.#tools.run("program", "nft", ["-j", "-f", "-"], JSON.stringify(transaction(put, drop)));
  }

  async listeners(): Promise<readonly Listener[]> {
    const stdout = await this.#tools.run("listeners", "ss", ["-H", "-l", "-n", "-t", "-u", "-S"]);
    return readListeners(stdout);
  }

  async forward(families: readonly (4 | 6)[]): Promise<readonly (4 | 6)[]> {
    const files = families.map((family) => SWITCHES[family]);
    const stdout = await this.#tools.run("forward", "cat", files);
    const now = stdout.trim().split("\n");
    const off = families.filter((_, index) => now[index] === "0");
    if (off.length > 0)
      await this.#tools.run(
        "forward",
        "tee",
        off.map((family) => SWITCHES[family]),
        "1",
      );
    return off;
  }
}

function readTables(stdout: string): readonly string[] {
  if (stdout.trim() === "") return [];
  const printed = JSON.parse(stdout) as Json;
  const rows = isJsonObject(printed) && Array.isArray(printed.nftables) ? printed.nftables : [];
  return rows.flatMap((row: Json) => {
    const table = isJsonObject(row) ? row.table : undefined;
    if (table === undefined || !isJsonObject(table)) return [];
    return table.family === "inet" && typeof table.name === "string" ? [table.name] : [];
  });
}
