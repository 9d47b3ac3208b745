/**
 * One host's whole firewall: one namespace, one ledger, every plugin's rules. Requests are judged one after another; those of
 * one turn of the event loop are recorded together and programmed in one transaction, which replaces each plugin's whole table.
 */

import { isDeepStrictEqual } from "node:util";
import type { OperatorLog } from "../../common/logger.js";
import { messageOf } from "../../common/text.js";
import { DriverError } from "../../driverapi/errors.js";
import type { Json } from "../../driverapi/json.js";
import type { ExternalChange } from "../external-changes.js";
import type { NamespaceView } from "../netlink/backend.js";
import type { NetlinkLimits } from "../netlink/grant.js";
import type { NetlinkHub } from "../netlink/hub.js";
import { readMark } from "../netlink/ledger.js";
import type { HostPower } from "../permission.js";
import type { FirewallBackend, FirewallTable } from "./backend.js";
import { openFirewall, openNeighbours } from "./choose.js";
import { failed, refused } from "./errors.js";
import type { FirewallLimits } from "./grant.js";
import { createFirewallPower } from "./host.js";
import {
  type FirewallChange,
  type FirewallLedger,
  type FirewallRow,
  isOrphan,
  MemoryFirewallLedger,
  type PublishedPort,
  publishedOf,
  readTable,
  tableOf,
} from "./ledger.js";
import { FIREWALL } from "./limits.js";
import { type Neighbours, NO_NEIGHBOURS } from "./neighbours.js";
import type { FirewallRequest } from "./request.js";
import { type OwnTable, Restoring } from "./restore-rules.js";
import { type FirewallRule, familyOfRule, keyOf, type PublishSpec, sameRule } from "./rule.js";
import { checkRules } from "./rules.js";
import { RulesWatch } from "./rules-watch.js";
import { Surroundings } from "./surroundings.js";

/** What `createFirewallHub` takes. */
export interface FirewallHubOptions {
  /** Knows which plugin owns each bridge, and whether this host works on the kernel or on a model. */
  readonly netlink: NetlinkHub;
  /** The namespace netlink works in: a name, a path, or absent. */
  readonly netns?: string | undefined;
  readonly logger: OperatorLog;
  /** Default: one in memory, whose tables are removed at `close()`. */
  readonly ledger?: FirewallLedger | undefined;
  /** Replaces the backend that netlink's kind and `netns` would choose. */
  readonly use?: FirewallBackend | undefined;
  /** Default: those of the namespace; with `use`, none. */
  readonly neighbours?: Neighbours | undefined;
  /** Called with each change that another program made, and with what was restored. */
  readonly report?: ((event: ExternalChange) => void) | undefined;
}

/** One host's firewall. */
export interface FirewallHub {
  /** The backend itself: calls to it are not checked against any grant. */
  readonly backend: FirewallBackend;
  /** Opens a plugin's power. `netlink`: its netlink grant, if it has one. */
  open(plugin: string, limits: FirewallLimits, netlink: NetlinkLimits | undefined): HostPower;
  /** A plugin's rules, as they were asked for. */
  rules(plugin: string): Promise<readonly FirewallRule[]>;
  /** Every plugin's published ports. */
  published(): Promise<readonly PublishedPort[]>;
  /** Removes every rule of a plugin. */
  release(plugin: string): Promise<void>;
  /** After a crash: programs the ledger's rules again, and removes tables whose host is gone. Also runs at the first request. */
  reconcile(): Promise<void>;
  /** Takes no more requests; removes the tables unless the ledger is durable. Idempotent. */
  close(): Promise<void>;
}

/** Opens the firewall of one host. Nothing is run before the first request. */
export function createFirewallHub(options: FirewallHubOptions): FirewallHub {
  return new Hub(options);
}

interface Scene {
  /** Bridges of others with a default route. */
  readonly uplinks: readonly string[];
  /** Prefixes of our bridges. */
  readonly prefixes: readonly string[];
}

interface Job {
  readonly plugin: string;
  readonly limits: FirewallLimits;
  readonly netlink: NetlinkLimits | undefined;
  readonly request: FirewallRequest;
  resolve(answer: Json): void;
  reject(error: Error): void;
}

class Hub implements FirewallHub {
  readonly backend: FirewallBackend;
  readonly #netlink: NetlinkHub;
  readonly #ledger: FirewallLedger;
  readonly #logger: OperatorLog;
  readonly #around: Surroundings;
  readonly #restoring: Restoring;
  readonly #watch: RulesWatch;
  #rows: ReadonlyMap<string, FirewallRow> = new Map();
  /** The part of the namespace that the tables and the forwarding guard depend on, as last seen. */
  #scene: Scene = { uplinks: [], prefixes: [] };
  #queue: readonly Job[] = [];
  /** Whose request came first in the last batch. */
  #led: string | undefined;
  /** Serialises everything that reads or changes rows. */
  #line: Promise<unknown> = Promise.resolve();
  #running = false;
  #ready = false;
  #closing: Promise<void> | undefined;
  readonly #unobserve: () => void;

  constructor({ netlink, netns, logger, ledger, use, neighbours, report = () => {} }: FirewallHubOptions) {
    this.#netlink = netlink;
    this.#logger = logger;
    this.#ledger = ledger ?? new MemoryFirewallLedger();
    this.backend = use ?? openFirewall(netlink.kind, netns, this.#ledger.id, logger);
    const around = neighbours ?? (use ? NO_NEIGHBOURS : openNeighbours(netlink.kind, netns));
    this.#around = new Surroundings({ neighbours: around, logger });
    this.#restoring = new Restoring({ backend: this.backend, around: this.#around, logger, report });
    const look = (): Promise<void> =>
      this.#quietly("what others have changed could not be restored", () => this.#look());
    this.#watch = new RulesWatch({ backend: this.backend, logger, look });
    this.#unobserve = netlink.observe((what) => what !== "links" && this.#watch.note("somebody else"));
  }

  open(plugin: string, granted: FirewallLimits, netlink: NetlinkLimits | undefined): HostPower {
    // A copy, whose identity tells the requests of this grant from those of the next one.
    const limits = { ...granted };
    return createFirewallPower({
      plugin,
      ask: (request) => this.#ask({ plugin, limits, netlink, request }),
      close: () => this.#refuseWaiting(limits),
    });
  }

  rules(plugin: string): Promise<readonly FirewallRule[]> {
    return this.#next(async () => this.#rowsOf(plugin).map(({ rule }) => rule));
  }

  published(): Promise<readonly PublishedPort[]> {
    return this.#next(async () => publishedOf(this.#rows.values()));
  }

  release(plugin: string): Promise<void> {
    return this.#quietly("the rules of a plugin could not be removed", async () => {
      // Rows of a durable ledger may not have been read yet.
      if (this.#ledger.durable) await this.#reconcile();
      if (this.#rowsOf(plugin).length > 0) await this.#change(this.#rowsOf(plugin).map(({ name }) => ({ drop: name })));
    });
  }

  reconcile(): Promise<void> {
    return this.#next(() => this.#reconcile());
  }

  close(): Promise<void> {
    this.#closing ??= this.#quietly("rules could not be removed", async () => {
      this.#unobserve();
      await this.#watch.stop();
      const held = publishedOnly(this.#rows, new Map());
      try {
        if (!this.#ledger.durable) await this.#change([...this.#rows.keys()].map((drop) => ({ drop })));
      } finally {
        // Rules of a durable ledger stay; the process that holds their ports ends with its platform.
        await this.backend.release(held);
        await this.backend.close();
      }
    });
    return this.#closing;
  }

  #ask(asked: Omit<Job, "resolve" | "reject">): Promise<Json> {
    const { plugin, request } = asked;
    if (this.#closing) return Promise.reject(failed(plugin, request.op, "the host is closing"));
    if (this.#queue.filter((job) => job.plugin === plugin).length >= FIREWALL.waiting) {
      const why = `more than ${FIREWALL.waiting} requests of plugin "${plugin}" are waiting; await their answers`;
      return Promise.reject(new DriverError("ERR_PERMISSION_LIMIT", `firewall.${request.op}: ${why}`, { plugin }));
    }
    return new Promise((resolve, reject) => {
      this.#queue = [...this.#queue, { ...asked, resolve, reject }];
      if (this.#running) return;
      this.#running = true;
      void this.#next(() => this.#drain());
    });
  }

  /** Refuses requests that wait under a grant that has ended. `limits`: the very object that the grant was opened with. */
  #refuseWaiting(limits: FirewallLimits): void {
    const gone = this.#queue.filter((job) => job.limits === limits);
    this.#queue = this.#queue.filter((job) => job.limits !== limits);
    for (const { plugin, request, reject } of gone) reject(failed(plugin, request.op, "its grant has ended"));
  }

  /**
   * Serves one batch: the requests of the present turn of the event loop. Later ones get a turn of their own, so that a plugin that
   * never stops asking does not keep the host from its own work.
   */
  async #drain(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    const batch = nextBatch(this.#queue, this.#led);
    this.#led = batch[0]?.plugin;
    this.#queue = this.#queue.filter((job) => !batch.includes(job));
    if (batch.length > 0) await this.#serve(batch);
    this.#running = this.#queue.length > 0;
    if (this.#running) void this.#next(() => this.#drain());
  }

  async #serve(batch: readonly Job[]): Promise<void> {
    try {
      await this.#reconcile();
      if (!this.#watch.sure) await this.#look();
      const view = await this.#netlink.backend.look({ addresses: true });
      await this.#forgetVanished(view);
      const judged: { readonly job: Job; readonly changes: readonly FirewallChange[]; readonly answer: Json }[] = [];
      let rows = this.#rows;
      for (const job of batch) {
        const { plugin, limits, request } = job;
        const own = [...rows.values()].filter((row) => row.plugin === plugin);
        if (request.op === "rules") {
          judged.push({ job, changes: [], answer: own.map(({ rule }) => rule) as unknown as Json });
          continue;
        }
        const { rule } = request;
        const name = rowName(plugin, rule);
        const there = own.some((row) => sameRule(row.rule, rule));
        if (request.op === "withdraw") {
          judged.push({ job, changes: there ? [{ drop: name }] : [], answer: null });
        } else {
          const owner = (link: string): string | undefined => this.#netlink.owner(link, view);
          const subnets = job.netlink?.subnets ?? [];
          try {
            checkRules(request, {
              plugin,
              limits,
              subnets,
              links: view.links,
              owner,
              rows: [...rows.values()],
            });
            if (!there && rule.kind === "publish") await this.#hold(plugin, rule);
          } catch (error) {
            const why = messageOf(error);
            job.reject(error instanceof DriverError ? error : failed(plugin, request.op, why, error));
            continue;
          }
          judged.push({ job, changes: there ? [] : [{ put: { name, plugin, rule } }], answer: null });
        }
        rows = changed(rows, judged.at(-1)?.changes ?? []);
      }
      await this.#change(judged.flatMap(({ changes }) => changes));
      for (const { job, answer } of judged) job.resolve(answer);
    } catch (error) {
      for (const { plugin, request, reject } of batch) {
        const why = messageOf(error);
        reject(error instanceof DriverError ? error : failed(plugin, request.op, why, error));
      }
    }
  }

  /** Records changes in the ledger, then programs them; if that fails, restores the ledger's former rows. */
  async #change(changes: readonly FirewallChange[]): Promise<void> {
    if (changes.length === 0) return;
    const before = this.#rows;
    const after = changed(before, changes);
    const names = changes.map((change) => ("put" in change ? change.put.name : change.drop));
    const plugins = new Set(names.flatMap((name) => before.get(name)?.plugin ?? after.get(name)?.plugin ?? []));
    const [left, come] = [publishedOnly(before, after), publishedOnly(after, before)];
    try {
      await this.#ledger.write(changes);
    } catch (error) {
      await this.backend.release(come);
      throw error;
    }
    this.#rows = after;
    try {
      await this.#program(plugins);
    } catch (error) {
      this.#rows = before;
      // The tables may have been programmed before the step that failed.
      await this.#put(plugins, []).catch((why: unknown) =>
        this.#logger.error({ err: why }, "firewall: rules of a change that failed could not be taken back"),
      );
      await this.backend.release(come);
      const back = names.map((name): FirewallChange => {
        const row = before.get(name);
        return row ? { put: row } : { drop: name };
      });
      await this.#ledger.write(back);
      throw error;
    }
    await this.backend.release(left);
    const answered = new Set(publishedOnly(after, new Map()).map(({ ip }) => ip));
    const gone = new Set(left.map(({ ip }) => ip).filter((ip) => !answered.has(ip)));
    await this.backend.forgetFlows([...left, ...come], [...gone]);
  }

  /** Binds the host's port before any rule leads to it. Throws `ERR_FIREWALL_REFUSED` when the port is not free. */
  async #hold(plugin: string, port: PublishSpec): Promise<void> {
    const obstacle = await this.backend.hold(port);
    if (obstacle) throw refused(plugin, "publish", obstacle.rule, obstacle.words);
  }

  /** Programs the tables of these plugins from their rows, and what has to exist outside the tables. */
  async #program(plugins: Iterable<string>, drop: readonly string[] = []): Promise<void> {
    const rules = await this.#put(plugins, drop);
    if (rules === undefined) return;
    await this.#settle();
    const opened = await this.#forward(rules);
    await this.#restoring
      .remember(this.#tables())
      .catch((error: unknown) => this.#logger.warn({ err: error }, "firewall: rules could not be read back"));
    if (opened.length > 0) {
      const which = opened.map((family) => `IPv${family}`).join(" and ");
      this.#logger.warn(
        { families: opened },
        `firewall: forwarding of ${which} is switched on in this namespace while there are rules; what others would have it forward is dropped`,
      );
    }
  }

  /**
   * Brings what is outside our tables in line with all tables named as ours are, since another host's may need what ours put there. A
   * failure is only logged, since the rules themselves are programmed.
   */
  async #settle(): Promise<void> {
    try {
      const bridges = this.#bridges();
      if (bridges.length > 0) {
        this.#watch.start();
        return await this.#around.keep(bridges);
      }
      await this.#watch.stop();
      if ((await this.backend.tables()).length === 0) {
        await this.#around.leave();
        this.#around.sayForwarding(await this.backend.stopForwarding());
      }
    } catch (error) {
      this.#logger.error({ err: error }, "firewall: what other programs need, or forwarding, could not be set right");
    }
  }

  /** Programs only the tables. Returns their rules; undefined where there was nothing to do. */
  async #put(plugins: Iterable<string>, drop: readonly string[]): Promise<readonly FirewallRule[] | undefined> {
    const put: FirewallTable[] = [];
    const gone = [...drop];
    const rules: FirewallRule[] = [];
    for (const plugin of plugins) {
      const name = tableOf(this.#ledger.id, plugin);
      const own = this.#rowsOf(plugin).map(({ rule }) => rule);
      if (own.length === 0) gone.push(name);
      else put.push({ name, prefix: prefixOf(own), rules: own, uplinks: this.#scene.uplinks });
      rules.push(...own);
    }
    if (put.length === 0 && gone.length === 0) return undefined;
    await this.backend.program(put, gone);
    return rules;
  }

  #forward(rules: readonly FirewallRule[], again = false): Promise<readonly (4 | 6)[]> {
    const { uplinks } = this.#scene;
    const prefixes = [...new Set([...this.#rows.values()].map(({ rule }) => prefixOf([rule])))];
    const ours = [...new Set([...prefixes, ...this.#scene.prefixes])];
    const families = new Set(rules.flatMap((rule) => familyOfRule(rule) ?? []));
    return families.size === 0
      ? Promise.resolve([])
      : this.backend.forward([...families], { prefixes, ours, uplinks }, again);
  }

  #tables(): readonly OwnTable[] {
    const plugins = new Set([...this.#rows.values()].map(({ plugin }) => plugin));
    return [...plugins].map((plugin) => ({ plugin, name: tableOf(this.#ledger.id, plugin) }));
  }

  #bridges(): readonly string[] {
    return [...new Set([...this.#rows.values()].map(({ rule }) => rule.bridge))];
  }

  /** Restores what other programs have changed since the last look. */
  async #look(): Promise<void> {
    if (!this.#ready || this.#rows.size === 0) return;
    const { wait } = this.#restoring;
    if (wait > 0) return this.#watch.later(wait);
    const who = this.#watch.taken();
    const scene = await this.#seen();
    if (!isDeepStrictEqual(scene, this.#scene)) {
      this.#scene = scene;
      await this.#program(this.#tables().map(({ plugin }) => plugin));
    }
    await this.#restoring.compare({
      tables: this.#tables(),
      bridges: this.#bridges(),
      who,
      program: (plugins) => this.#put(plugins, []),
      forward: (again) =>
        this.#forward(
          [...this.#rows.values()].map(({ rule }) => rule),
          again,
        ),
    });
  }

  async #seen(): Promise<Scene> {
    const view = await this.#netlink.backend.look({ routes: true, kinds: true });
    return { uplinks: uplinksOf(view), prefixes: prefixesOf(view) };
  }

  async #reconcile(): Promise<void> {
    if (this.#ready) return;
    await this.#netlink.reconcile();
    this.#rows = new Map((await this.#ledger.load()).map((row) => [row.name, row]));
    this.#scene = await this.#seen();
    const tables = await this.backend.tables();
    const plugins = new Set([...this.#rows.values()].map(({ plugin }) => plugin));
    const left = tables.filter((name) => {
      const table = readTable(name);
      return isOrphan(name) || (table?.ledger === this.#ledger.id && !plugins.has(table.plugin));
    });
    if (left.length > 0) {
      this.#logger.warn(
        { tables: left },
        `firewall: ${left.length} table(s) were left behind by a crash and are removed`,
      );
    }
    await this.backend.keep(publishedOnly(this.#rows, new Map()));
    await this.#program(plugins, left);
    this.#ready = true;
  }

  /** Removes rules whose bridge is gone. */
  async #forgetVanished(view: NamespaceView): Promise<void> {
    const gone = [...this.#rows.values()].filter(
      ({ plugin, rule }) => this.#netlink.owner(rule.bridge, view) !== plugin,
    );
    await this.#change(gone.map(({ name }) => ({ drop: name })));
  }

  #rowsOf(plugin: string): readonly FirewallRow[] {
    return [...this.#rows.values()].filter((row) => row.plugin === plugin);
  }

  /** Runs `run` after everything queued before it. */
  #next<T>(run: () => Promise<T>): Promise<T> {
    const turn = this.#line.then(run);
    this.#line = turn.catch(() => {});
    return turn;
  }

  /** Logs a failure instead of rejecting, so that it cannot prevent a stop. */
  #quietly(what: string, run: () => Promise<void>): Promise<void> {
    return this.#next(run).catch((error: unknown) => this.#logger.error({ err: error }, `firewall: ${what}`));
  }
}

/** A rule's name in the ledger. */
function rowName(plugin: string, rule: FirewallRule): string {
  return `${plugin} ${keyOf(rule)}`;
}

/**
 * Chooses a batch from the queue, round-robin over plugins, FIFO within each. A batch takes ports or gives them back, never both, so that a
 * port that is given back is free afterwards; the plugin that goes first decides which, and is not the one that went first last time.
 */
function nextBatch(queue: readonly Job[], led: string | undefined): readonly Job[] {
  const plugins = [...new Set(queue.map(({ plugin }) => plugin))].sort((a, b) => Number(a === led) - Number(b === led));
  const waiting = plugins.map((plugin) => queue.filter((job) => job.plugin === plugin));
  const batch: Job[] = [];
  let kind: FirewallRequest["op"] | undefined;
  for (let turn = true; turn; ) {
    turn = false;
    for (const jobs of waiting) {
      const [job] = jobs;
      if (job === undefined || batch.length >= FIREWALL.batch) continue;
      const { op } = job.request;
      if (op === "publish" || op === "withdraw") kind ??= op;
      if ((op === "publish" || op === "withdraw") && op !== kind) continue;
      jobs.shift();
      batch.push(job);
      turn = true;
    }
  }
  return batch;
}

/** The published ports of `rows` that `others` lack, or have with other settings. */
function publishedOnly(
  rows: ReadonlyMap<string, FirewallRow>,
  others: ReadonlyMap<string, FirewallRow>,
): readonly PublishSpec[] {
  return [...rows.values()].flatMap(({ name, rule }) => {
    if (rule.kind !== "publish") return [];
    const other = others.get(name)?.rule;
    return other && sameRule(other, rule) ? [] : [rule];
  });
}

function changed(
  rows: ReadonlyMap<string, FirewallRow>,
  changes: readonly FirewallChange[],
): ReadonlyMap<string, FirewallRow> {
  const next = new Map(rows);
  for (const change of changes) {
    if ("put" in change) next.set(change.put.name, change.put);
    else next.delete(change.drop);
  }
  return next;
}

/** Bridges without a mark of ours that carry a default route. */
function uplinksOf({ links, routes }: NamespaceView): readonly string[] {
  const ways = new Set(
    routes.filter(({ destination }) => /^(0\.0\.0\.0|::)\/0$/.test(destination)).map(({ dev }) => dev),
  );
  return [...links.values()]
    .filter(({ name, kind, alias }) => kind === "bridge" && ways.has(name) && readMark(alias) === undefined)
    .map(({ name }) => name)
    .sort();
}

/** The prefixes of all bridges with a mark of ours, whether their plugin has a firewall grant or not. */
function prefixesOf({ links }: NamespaceView): readonly string[] {
  const ours = [...links.values()].filter(({ kind, alias }) => kind === "bridge" && readMark(alias) !== undefined);
  return [...new Set(ours.map(({ name }) => name.split("-")[0] ?? ""))].sort();
}

/** Every bridge of a plugin has its grant's prefix. */
function prefixOf([rule]: readonly FirewallRule[]): string {
  return rule?.bridge.split("-")[0] ?? "";
}
