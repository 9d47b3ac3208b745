/** The firewall with nftables (`nft -j -f -`, without a shell) and a process that holds ports. */
import type { OperatorLog } from "../../../common/logger.js";
import { isJsonObject, type Json } from "../../../driverapi/json.js";
import type { ChangeMonitor } from "../../poll-scheduler.js";
import type { FirewallBackend, FirewallTable, ForwardingEnd, GuardedLinks, Obstacle } from "../backend.js";
import { inUse } from "../errors.js";
import { heldPort } from "../holder/messages.js";
import { readTable } from "../ledger.js";
import type { PublishSpec } from "../rule.js";
import type { RuleEvents } from "../rule-events.js";
import { forgetFlows } from "./conntrack.js";
import { Forwarding } from "./forwarding.js";
import { readListeners } from "./listeners.js";
import { PortHolder } from "./port-holder.js";
import { watchRules } from "./rule-events.js";
import { transaction } from "./ruleset.js";
import { Tools } from "./tools.js";

export class NftBackend implements FirewallBackend {
  readonly kind = "kernel";
  readonly #tools: Tools;
  readonly #forwarding: Forwarding;
  /** The process that holds published ports. */
  readonly holder: PortHolder;
  readonly #logger: OperatorLog;
  /** The problem with conntrack that was logged last. */
  #flowsTold: string | undefined;

  /** `netns`: a name, a path, or the process's own. `ledger`: the id in our tables' names. */
  constructor(netns: string | undefined, ledger: string, logger: OperatorLog) {
    this.#logger = logger;
    this.#tools = new Tools(netns);
    this.#forwarding = new Forwarding(this.#tools, ledger);
    this.holder = new PortHolder(this.#tools.netns, this.#tools.enter, logger);
  }

  async tables(): Promise<readonly string[]> {
    // Without nft there are no tables of ours; that it is missing is reported when it is needed.
    if (!this.#tools.has("nft")) return [];
    const stdout = await this.#tools.run("tables", "nft", ["-j", "list", "tables"]);
    return readTables(stdout).filter((name) => readTable(name) !== undefined);
  }

  async program(put: readonly FirewallTable[], drop: readonly string[]): Promise<void> {
    await this.#tools.run("program", "nft", ["-j", "-f", "-"], JSON.stringify(transaction(put, drop)), drop);
  }

  async hold(port: PublishSpec): Promise<Obstacle | undefined> {
    const held = heldPort(port);
    if (held) return this.holder.hold(held);
    const stdout = await this.#tools.run("publish", "ss", ["-H", "-l", "-n", "-S"]);
    const hit = readListeners(stdout).find(
      (one) =>
        one.protocol === port.protocol &&
        one.port === port.hostPort &&
        (!one.ip || !port.hostIP || one.ip === port.hostIP),
    );
    return hit && { rule: "listener", words: inUse(port, hit.ip ?? "every address") };
  }

  keep(ports: readonly PublishSpec[]): Promise<void> {
    return this.holder.keep(ports.flatMap((port) => heldPort(port) ?? []));
  }

  release(ports: readonly PublishSpec[]): Promise<void> {
    return this.holder.release(ports.flatMap((port) => heldPort(port) ?? []));
  }

  async forgetFlows(ports: readonly PublishSpec[], addresses: readonly string[]): Promise<void> {
    const why = await forgetFlows(this.#tools, ports, addresses);
    if (why === undefined || why === this.#flowsTold) return;
    this.#flowsTold = why;
    this.#logger.warn({}, `firewall: UDP senders that do not pause may miss a new container: ${why}`);
  }

  close(): Promise<void> {
    return this.holder.close();
  }

  forward(families: readonly (4 | 6)[], links: GuardedLinks, again = false): Promise<readonly (4 | 6)[]> {
    return this.#forwarding.open(families, links, again);
  }

  get guarded(): boolean {
    return this.#forwarding.guarded;
  }

  stopForwarding(): Promise<ForwardingEnd> {
    return this.#forwarding.close();
  }

  watch(events: RuleEvents): ChangeMonitor {
    return watchRules(this.#tools, events);
  }

  async listing(): Promise<ReadonlyMap<string, string>> {
    if (!this.#tools.has("nft")) return new Map();
    return readListing(await this.#tools.run("listing", "nft", ["list", "ruleset", "inet"]));
  }
}

/** Splits a listing into each table's text, by name: only tables begin and end without indentation. */
function readListing(printed: string): ReadonlyMap<string, string> {
  const tables = printed.matchAll(/^table inet (\S+) \{\n[\s\S]*?^\}$/gm);
  return new Map([...tables].map(([text, name = ""]) => [name, text]));
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
