/** The firewall with nftables (`nft -j -f -`, without a shell) and a process that holds ports. */
import type { OperatorLog } from "../../../common/logger.js";
import { isJsonObject, type Json } from "../../../driverapi/json.js";
import type { ChangeMonitor } from "../../poll-scheduler.js";
import type { TimedAllow } from "../allowed.js";
import {
  type FirewallBackend,
  type FirewallTable,
  type ForwardingEnd,
  type GuardedLinks,
  LACKS,
  type Obstacle,
} from "../backend.js";
import { failed, inUse } from "../errors.js";
import { heldPort } from "../holder/messages.js";
import { readTable } from "../ledger.js";
import type { RefusedFlow } from "../refused-flow.js";
import type { HostPort, PublishSpec } from "../rule.js";
import type { RuleEvents } from "../rule-events.js";
import { allowMore, confined } from "./confine-rules.js";
import { forgetFlows } from "./conntrack.js";
import { Forwarding } from "./forwarding.js";
import { readListeners } from "./listeners.js";
import { PortHolder } from "./port-holder.js";
import { REFUSED_SETS, readRefused } from "./refused-flows.js";
import { RouteGuard } from "./route-guard.js";
import { watchRules } from "./rule-events.js";
import { transaction } from "./ruleset.js";
import { Tools } from "./tools.js";

/** Matches the error that nft prints if the table or the set does not exist. */
const NO_TABLE = /No such file or directory/;

export class NftBackend implements FirewallBackend {
  readonly kind = "kernel";
  readonly #tools: Tools;
  readonly #forwarding: Forwarding;
  readonly #guard: RouteGuard;
  /** The confined bridges of each table, and the prefix of its plugin's bridges. */
  readonly #confined = new Map<string, { readonly prefix: string; readonly bridges: readonly string[] }>();
  /** The process that holds published ports. */
  readonly holder: PortHolder;
  readonly #logger: OperatorLog;
  /** The problem with conntrack that was logged last. */
  #flowsTold: string | undefined;

  /** `netns`: a name, a path, or the process's own. `ledger`: the id in our tables' names. */
  constructor(netns: string | undefined, ledger: string, logger: OperatorLog) {
    this.#logger = logger;
    this.#tools = new Tools(netns);
    this.#guard = new RouteGuard(this.#tools);
    this.#forwarding = new Forwarding(this.#tools, ledger);
    this.holder = new PortHolder(this.#tools.netns, this.#tools.enter, logger);
  }

  async tables(): Promise<readonly string[]> {
    // Without nft there are no tables of ours; that it is missing is reported when it is needed.
    if (!this.#tools.has("nft")) return [];
    const stdout = await this.#tools.run("tables", "nft", ["-j", "list", "tables"]);
    const names = readTables(stdout).filter((name) => readTable(name) !== undefined);
    if (names.length > 0) this.#guard.adopt();
    return names;
  }

  async program(put: readonly FirewallTable[], drop: readonly string[]): Promise<void> {
    await this.#tools.run("program", "nft", ["-j", "-f", "-"], JSON.stringify(transaction(put, drop)), drop);
    const former = [...put.map(({ name }) => name), ...drop].flatMap((name) => this.#confined.get(name)?.bridges ?? []);
    for (const name of drop) this.#confined.delete(name);
    for (const { name, prefix, rules } of put) this.#confined.set(name, { prefix, bridges: confined(rules) });
    await this.#guard.add(put.flatMap(({ rules }) => confined(rules)));
    const wanted = [...this.#confined.values()].flatMap(({ bridges }) => bridges);
    const prefixes = put.map(({ prefix }) => `${prefix}-`);
    await this.#guard.remove(
      wanted,
      (bridge) => former.includes(bridge) || prefixes.some((prefix) => bridge.startsWith(prefix)),
    );
  }

  async allow(table: string, allowed: readonly TimedAllow[]): Promise<void> {
    const text = JSON.stringify({ nftables: allowMore(table, allowed) });
    await this.#tools.run("allow", "nft", ["-j", "-f", "-"], text);
  }

  async refused(table: string): Promise<readonly RefusedFlow[]> {
    const listed = await Promise.all(
      REFUSED_SETS.map((set) => this.#tools.try("refused", "nft", ["-j", "list", "set", "inet", table, set])),
    );
    const wrong = listed.find(({ code, stderr }) => code !== 0 && !NO_TABLE.test(stderr));
    if (wrong) throw failed(undefined, "refused", wrong.stderr.trim());
    return readRefused(listed.filter(({ code }) => code === 0).map(({ stdout }) => stdout));
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

  async holdAside(port: PublishSpec): Promise<number | undefined> {
    const held = heldPort(port);
    return held && this.holder.holdAside(held);
  }

  keep(ports: readonly HostPort[]): Promise<void> {
    return this.holder.keep(ports.flatMap((port) => heldPort(port) ?? []));
  }

  release(ports: readonly HostPort[]): Promise<void> {
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
    // Without the sets' contents, which change by themselves.
    const listed = readListing(await this.#tools.run("listing", "nft", ["-t", "list", "ruleset", "inet"]));
    const guarded = await this.#guard.guarded();
    return new Map(
      [...listed].map(([name, text]) => {
        const unguarded = this.#confined.get(name)?.bridges.filter((bridge) => !guarded.includes(bridge)) ?? [];
        return [
          name,
          [text, ...unguarded.map((bridge) => `${LACKS}a rule of policy routing for ${bridge}`)].join("\n"),
        ];
      }),
    );
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
