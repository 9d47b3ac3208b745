/** The firewall by nftables: `nft -j -f -`, a process that holds ports, and the two switches of the kernel's for forwarding. Never a shell. */
import { isJsonObject, type Json } from "../../../driverapi/json.js";
import type { NetlinkLogger } from "../../netlink/hub.js";
import type { IpOutcome } from "../../netlink/kernel/ip.js";
import { FOLDERS, netnsPath, program } from "../../netlink/kernel/programs.js";
import type { FirewallBackend, FirewallTable, Obstacle } from "../backend.js";
import { heldPort } from "../holder/messages.js";
import { readTable } from "../ledger.js";
import type { PublishSpec } from "../rule.js";
import { failed, inUse } from "../words.js";
import { forgetFlows } from "./conntrack.js";
import { readListeners } from "./listeners.js";
import { PortHolder } from "./port-holder.js";
import { transaction } from "./ruleset.js";
import { execute } from "./run.js";

/** The kernel's switches, by family. */
const SWITCHES: Readonly<Record<4 | 6, string>> = {
  4: "/proc/sys/net/ipv4/ip_forward",
  6: "/proc/sys/net/ipv6/conf/all/forwarding",
};

/** Programs used, and the Debian packages they come in. */
const PACKAGES = { nft: "nftables", ss: "iproute2", cat: "coreutils", tee: "coreutils" } as const;

export class NftBackend implements FirewallBackend {
  readonly kind = "kernel";
  /** The process that holds published ports. */
  readonly holder: PortHolder;
  readonly #logger: NetlinkLogger;
  /** The command that enters the namespace. */
  readonly #enter: readonly string[];
  /** What is wrong with conntrack, once told. */
  #flowsTold: string | undefined;

  /** `netns`: a name, a path, or the process's own. */
  constructor(netns: string | undefined, logger: NetlinkLogger) {
    const path = netns === undefined ? undefined : netnsPath(netns);
    this.#logger = logger;
    this.#enter = path === undefined ? [] : [program("nsenter") ?? "nsenter", `--net=${path}`];
    this.holder = new PortHolder(path, this.#enter, logger);
  }

  async tables(): Promise<readonly string[]> {
    // Where there is no nft, nobody has made a table of ours; that it is missing is said when it is needed.
    if (program("nft") === undefined) return [];
    const { stdout } = await this.#run("tables", "nft", ["-j", "list", "tables"]);
    return readTables(stdout).filter((name) => readTable(name) !== undefined);
  }

  async program(put: readonly FirewallTable[], drop: readonly string[]): Promise<void> {
    await this.#run("program", "nft", ["-j", "-f", "-"], JSON.stringify(transaction(put, drop)));
  }

  async hold(port: PublishSpec): Promise<Obstacle | undefined> {
    const held = heldPort(port);
    if (held) return this.holder.hold(held);
    const { stdout } = await this.#run("publish", "ss", ["-H", "-l", "-n", "-S"]);
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
    const why = await forgetFlows(this.#enter, ports, addresses);
    if (why === undefined || why === this.#flowsTold) return;
    this.#flowsTold = why;
    this.#logger.warn({}, `firewall: UDP senders that do not pause may miss a new container: ${why}`);
  }

  close(): Promise<void> {
    return this.holder.close();
  }

  async forward(families: readonly (4 | 6)[]): Promise<readonly (4 | 6)[]> {
    const files = families.map((family) => SWITCHES[family]);
    const { stdout } = await this.#run("forward", "cat", files);
    const now = stdout.trim().split("\n");
    const off = families.filter((_, index) => now[index] === "0");
    if (off.length > 0)
      await this.#run(
        "forward",
        "tee",
        off.map((family) => SWITCHES[family]),
        "1",
      );
    return off;
  }

  /** Runs a program in the namespace. Rejects when it fails. */
  async #run(op: string, name: keyof typeof PACKAGES, args: readonly string[], input = ""): Promise<IpOutcome> {
    const path = program(name);
    if (path === undefined) {
      throw failed(
        undefined,
        op,
        `there is no "${name}" in ${FOLDERS.join(", ")} (Debian: apt install ${PACKAGES[name]})`,
      );
    }
    const command = [path, ...args];
    const outcome = await execute([...this.#enter, ...command], input);
    if (outcome.code !== 0) throw failed(undefined, op, complaint(outcome, name));
    return outcome;
  }
}

/** The first line a program said; nft repeats its input after it. */
function complaint({ stderr, code }: IpOutcome, name: string): string {
  const said = stderr
    .split("\n")
    .map((line) => line.trim())
    .find((line) => line !== "");
  return said ?? `${name} ended with ${code} and said nothing`;
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
