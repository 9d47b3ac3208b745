/**
 * One host's whole firewall: one namespace, one ledger, every plugin's rules. Requests are judged one after another; those of
 * one turn of the event loop are recorded together and programmed in one transaction, which replaces each plugin's whole table.
 */

import type { OperatorLog } from "../../common/logger.js";
import { Mutex } from "../../common/mutex.js";
import { traceBatch } from "../../common/tracing.js";
import type { ExternalChange } from "../external-changes.js";
import { MemoryLedger } from "../ledger.js";
import type { NetlinkLimits } from "../netlink/grant.js";
import type { NetlinkHub } from "../netlink/hub.js";
import type { HostPower } from "../permission.js";
import { type Job, RequestQueue } from "../request-queue.js";
import type { FirewallBackend } from "./backend.js";
import { openFirewall, openNeighbours } from "./choose.js";
import { failed } from "./errors.js";
import type { FirewallLimits } from "./grant.js";
import { HeldElsewhere } from "./held-elsewhere.js";
import { createFirewallPower } from "./host.js";
import { type FirewallLedger, type FirewallRow, type PublishedPort, publishedOf } from "./ledger.js";
import { FIREWALL } from "./limits.js";
import { type Neighbours, NO_NEIGHBOURS } from "./neighbours.js";
import { type AskedRule, nextBatch } from "./next-batch.js";
import { RuleRestorer } from "./restore-rules.js";
import { publishedOnly, rowsOf } from "./rows.js";
import type { FirewallRule } from "./rule.js";
import { runBatch } from "./run-batch.js";
import { Surroundings } from "./surroundings.js";
import { RuleTables } from "./tables.js";

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
  /** Ports that a platform's own process has bound. */
  readonly elsewhere: HeldElsewhere;
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

class Hub implements FirewallHub {
  readonly backend: FirewallBackend;
  readonly elsewhere: HeldElsewhere = new HeldElsewhere();
  readonly #netlink: NetlinkHub;
  readonly #ledger: FirewallLedger;
  readonly #logger: OperatorLog;
  readonly #tables: RuleTables;
  readonly #restorer: RuleRestorer;
  /** Serializes everything that reads or changes rules. */
  readonly #mutex = new Mutex();
  readonly #queue: RequestQueue<AskedRule>;
  readonly #unobserve: () => void;
  /** The plugin whose request came first in the last batch. */
  #lastFirst: string | undefined;
  #closing: Promise<void> | undefined;

  constructor({ netlink, netns, logger, ledger, use, neighbours, report = () => {} }: FirewallHubOptions) {
    this.#netlink = netlink;
    this.#logger = logger;
    this.#ledger = ledger ?? new MemoryLedger<FirewallRow>();
    this.backend = use ?? openFirewall(netlink.kind, netns, this.#ledger.id, logger);
    const { backend } = this;
    const around = new Surroundings({
      neighbours: neighbours ?? (use ? NO_NEIGHBOURS : openNeighbours(netlink.kind, netns)),
      logger,
    });
    this.#tables = new RuleTables({
      backend,
      ledger: this.#ledger,
      netlink,
      logger,
      programmed: (rules) => this.#restorer.programmed(rules),
    });
    const poll = (): Promise<void> =>
      this.#quietly("what others have changed could not be restored", () => this.#restorer.restore());
    this.#restorer = new RuleRestorer({ backend, tables: this.#tables, around, logger, report, poll });
    this.#queue = new RequestQueue<AskedRule>({
      permission: "firewall",
      max: FIREWALL.waiting,
      failed,
      mutex: this.#mutex,
      choose: (jobs) => nextBatch(jobs, this.#lastFirst),
      serve: (batch) => this.#serve(batch),
    });
    this.#unobserve = netlink.observe((what) => what !== "links" && this.#restorer.note("another program"));
  }

  open(plugin: string, granted: FirewallLimits, netlink: NetlinkLimits | undefined): HostPower {
    // A copy, whose identity distinguishes this grant's requests from the next one's.
    const limits = { ...granted };
    return createFirewallPower({
      plugin,
      ask: (request) => this.#queue.add({ plugin, limits, netlink, request }),
      close: () => this.#queue.refuse(limits),
    });
  }

  rules(plugin: string): Promise<readonly FirewallRule[]> {
    return this.#mutex.run(async () => rowsOf(this.#tables.rows, plugin).map(({ rule }) => rule));
  }

  published(): Promise<readonly PublishedPort[]> {
    return this.#mutex.run(async () => publishedOf(this.#tables.rows.values()));
  }

  release(plugin: string): Promise<void> {
    return this.#quietly("the rules of a plugin could not be removed", async () => {
      // Rows of a durable ledger may not have been read yet.
      if (this.#ledger.durable) await this.#tables.load();
      await this.#tables.change(rowsOf(this.#tables.rows, plugin).map(({ name }) => ({ drop: name })));
      await this.#restorer.remember();
    });
  }

  reconcile(): Promise<void> {
    return this.#mutex.run(async () => {
      await this.#tables.load();
      await this.#restorer.remember();
    });
  }

  close(): Promise<void> {
    this.#queue.close();
    this.#closing ??= this.#quietly("rules could not be removed", async () => {
      this.#unobserve();
      await this.#restorer.stop();
      const { rows } = this.#tables;
      try {
        if (!this.#ledger.durable) await this.#tables.change([...rows.keys()].map((drop) => ({ drop })));
      } finally {
        // Rules of a durable ledger stay; the process that holds their ports ends with its platform.
        await this.backend.release(publishedOnly(rows));
        await this.backend.close();
      }
    });
    return this.#closing;
  }

  async #serve(batch: readonly Job<AskedRule>[]): Promise<void> {
    this.#lastFirst = batch[0]?.plugin;
    try {
      await this.#tables.load();
      if (!this.#restorer.unchanged) await this.#restorer.restore();
      const { backend, elsewhere } = this;
      const tables = this.#tables;
      const context = {
        ...{ tables, backend, elsewhere, netlink: this.#netlink, allowed: tables.allowed },
        refused: new Map(),
      };
      const plugins = batch.map(({ plugin }) => plugin);
      await traceBatch("firewall", plugins, () => runBatch(batch, context));
    } finally {
      await this.#restorer.remember();
    }
  }

  /** Logs a failure instead of rejecting, so that it cannot prevent a stop. */
  #quietly(what: string, work: () => Promise<void>): Promise<void> {
    return this.#mutex.run(work).catch((error: unknown) => this.#logger.error({ err: error }, `firewall: ${what}`));
  }
}
