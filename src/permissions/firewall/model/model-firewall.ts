/** A firewall without a kernel: stores tables and held ports; tests set which ports are in use. */

import type { ChangeMonitor } from "../../poll-scheduler.js";
import type { TimedAllow } from "../allowed.js";
import type { FirewallBackend, FirewallTable, ForwardingEnd, Listener, Obstacle } from "../backend.js";
import { failed, inUse } from "../errors.js";
import { heldKey, heldPort, wildcard } from "../holder/messages.js";
import type { RefusedFlow } from "../refused-flow.js";
import type { HostPort, PublishSpec } from "../rule.js";
import type { RuleEvents } from "../rule-events.js";

export class ModelFirewall implements FirewallBackend {
  readonly kind = "model";
  readonly guarded = false;
  /** The tables, by name. */
  readonly programmed: Map<string, FirewallTable> = new Map();
  /** The ports that processes of the namespace have bound. */
  readonly listening: Listener[] = [];
  /** What confined bridges were refused. */
  readonly flows: RefusedFlow[] = [];
  readonly #held = new Map<string, HostPort>();
  /** The families it forwards. */
  readonly forwards: Set<4 | 6> = new Set();

  /** The held ports. */
  get held(): readonly HostPort[] {
    return [...this.#held.values()];
  }

  async tables(): Promise<readonly string[]> {
    return [...this.programmed.keys()];
  }

  async program(put: readonly FirewallTable[], drop: readonly string[]): Promise<void> {
    for (const name of drop) this.programmed.delete(name);
    for (const table of put) this.programmed.set(table.name, table);
  }

  async allow(table: string, allowed: readonly TimedAllow[]): Promise<void> {
    const there = this.programmed.get(table);
    if (!there) throw failed(undefined, "allow", "No such file or directory");
    const others = there.allowed.filter((one) => !allowed.some((more) => sameTarget(one, more)));
    this.programmed.set(table, { ...there, allowed: [...others, ...allowed] });
  }

  async refused(): Promise<readonly RefusedFlow[]> {
    return this.flows;
  }

  async hold(port: PublishSpec): Promise<Obstacle | undefined> {
    const { protocol, hostIP, hostPort, ip } = port;
    const hit = this.listening.some(
      (one) =>
        one.protocol === protocol &&
        one.port === hostPort &&
        (one.ip === undefined || hostIP === undefined || one.ip === hostIP),
    );
    if (hit) return { rule: "listener", words: inUse(port, hostIP ?? wildcard(ip.includes(":"))) };
    await this.keep([port]);
    return undefined;
  }

  async holdAside(port: PublishSpec): Promise<number | undefined> {
    if (port.protocol === "sctp") return undefined;
    const aside = 61_000 + this.#held.size;
    await this.keep([{ ...port, aside }]);
    return aside;
  }

  async keep(ports: readonly HostPort[]): Promise<void> {
    for (const port of ports) this.#held.set(keyOf(port), port);
  }

  async release(ports: readonly HostPort[]): Promise<void> {
    for (const port of ports) this.#held.delete(keyOf(port));
  }

  async forgetFlows(): Promise<void> {}

  async forward(families: readonly (4 | 6)[]): Promise<readonly (4 | 6)[]> {
    const opened = families.filter((family) => !this.forwards.has(family));
    for (const family of opened) this.forwards.add(family);
    return opened;
  }

  async close(): Promise<void> {}

  async stopForwarding(): Promise<ForwardingEnd> {
    const off = [...this.forwards];
    this.forwards.clear();
    return { off, left: [], others: [] };
  }

  /** Notifies a change, for a test that changes `programmed` itself. */
  changed: (by: string) => void = () => {};

  watch({ changed }: RuleEvents): ChangeMonitor {
    this.changed = (by) => changed(by, []);
    return { alive: true, stop: async () => {} };
  }

  async listing(): Promise<ReadonlyMap<string, string>> {
    return new Map([...this.programmed].map(([name, table]) => [name, JSON.stringify({ ...table, allowed: [] })]));
  }
}

function sameTarget(a: TimedAllow, b: TimedAllow): boolean {
  return a.bridge === b.bridge && a.to === b.to && a.protocol === b.protocol && a.port === b.port;
}

function keyOf(port: HostPort): string {
  const held = heldPort(port);
  return held ? heldKey(held) : `sctp ${port.hostPort}`;
}
