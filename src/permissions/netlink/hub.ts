/**
 * One host's netlink: one namespace, one ledger, every plugin's links. Requests of one turn of the event loop are judged together,
 * recorded together and carried out in one run; conflicting ones wait for the next run.
 */

import type { OperatorLog } from "../../common/logger.js";
import { Mutex } from "../../common/mutex.js";
import { traceBatch } from "../../common/tracing.js";
import { DriverError } from "../../driverapi/errors.js";
import type { ExternalChange } from "../external-changes.js";
import { MemoryLedger } from "../ledger.js";
import type { HostPower } from "../permission.js";
import type { PollScheduler } from "../poll-scheduler.js";
import { type Job, RequestQueue } from "../request-queue.js";
import type { NamespaceView, NetlinkBackend } from "./backend.js";
import { type BackendChoice, openBackend } from "./choose.js";
import { failed } from "./errors.js";
import { clashingPrefixes, type NetlinkLimits } from "./grant.js";
import { createNetlinkPower } from "./host.js";
import type { LedgerRow, NetlinkLedger } from "./ledger.js";
import { NETLINK } from "./limits.js";
import { type NamespaceChange, watchNamespace } from "./links-watch.js";
import { type AskedLink, nextBatch } from "./next-batch.js";
import { Ownership } from "./ownership.js";
import { reconcile } from "./reconcile.js";
import { removeLinks } from "./removal.js";
import { type LostLink, restoreLinks } from "./restore-links.js";
import { type SandboxLink, sandboxProblem } from "./rules-sandbox.js";
import { runBatch } from "./run-batch.js";
import { SandboxMoves } from "./sandbox-moves.js";

/** What `createNetlinkHub` takes. */
export interface NetlinkHubOptions extends BackendChoice {
  readonly logger: OperatorLog;
  /** Default: one in memory, whose links are removed at `close()`. */
  readonly ledger?: NetlinkLedger | undefined;
  /** Replaces the backend that `backend` and `netns` would choose. */
  readonly use?: NetlinkBackend | undefined;
  /** Called with each change that another program made. */
  readonly report?: ((event: ExternalChange) => void) | undefined;
  /** Called with links of a plugin that another program has deleted. */
  readonly lost?: ((plugin: string, links: readonly LostLink[]) => void) | undefined;
  /** The name servers' addresses, canonical. Default: those of `/etc/resolv.conf`; for the model, none. */
  readonly resolvers?: (() => readonly string[]) | undefined;
}

/** One host's netlink. */
export interface NetlinkHub {
  readonly kind: "kernel" | "model";
  /** Runs of `ip` so far; for the model, runs that the kernel would have needed. */
  readonly invocations: number;
  /** The namespace itself, for the host's own use (sandboxes): calls to it are not checked against any grant. */
  readonly backend: NetlinkBackend;
  /** Opens a plugin's power. Throws `ERR_POLICY_INVALID` if its prefix and another open plugin's cannot be told apart. */
  open(plugin: string, limits: NetlinkLimits): HostPower;
  /** True for a link that the plugin made and still owns, in the namespace or in a sandbox. */
  owns(plugin: string, link: string): boolean;
  /** Returns the other end of a veth of the plugin's; undefined if it is not one. */
  otherEnd(plugin: string, link: string): string | undefined;
  /** Lists the plugin's links as they were asked for; both ends of a veth, and those in sandboxes. */
  held(plugin: string): readonly Pick<LedgerRow, "name" | "spec">[];
  /** Returns the plugin that owns a link according to both ledger and `view`; otherwise undefined. */
  owner(link: string, view: NamespaceView): string | undefined;
  /** Returns why the host may not move links into a sandbox; undefined if it may. */
  sandboxProblem(links: readonly SandboxLink[]): Promise<string | undefined>;
  /**
   * Records that the host is about to move a link into a sandbox's namespace (a path, or a name). Move it only after this resolves: a
   * link that is gone without a record counts as deleted.
   */
  moved(link: string, netns: string): Promise<void>;
  /** Records that the host has moved a link back, under its own name. */
  returned(link: string): Promise<void>;
  /** Records which of a plugin's links, except those in `away()`, have been moved back, by any program. */
  allReturned(plugin: string, away: () => ReadonlySet<string>): Promise<void>;
  /** Removes every link of a plugin, wherever it is. */
  release(plugin: string): Promise<void>;
  /** After a crash: adopts, forgets or removes links on which ledger and marks disagree. Also runs before the first request. */
  reconcile(): Promise<void>;
  /** Calls `listener` with changes in the namespace, by any program. Returns a function that stops it. */
  observe(listener: (what: NamespaceChange) => void): () => void;
  /** Calls `listener` with the names of links that no plugin owns any more. Returns a function that stops it. */
  forgotten(listener: (names: readonly string[]) => void): () => void;
  /** Takes no more requests; removes the links unless the ledger is durable. Idempotent. */
  close(): Promise<void>;
}

/**
 * Opens the netlink of one host. Nothing is run before the first request.
 * Throws `ERR_OPTIONS` if the kernel is asked for and not available, or the namespace does not exist.
 */
export function createNetlinkHub(options: NetlinkHubOptions): NetlinkHub {
  return new Hub(options);
}

class Hub implements NetlinkHub {
  readonly backend: NetlinkBackend;
  readonly #ledger: NetlinkLedger;
  readonly #logger: OperatorLog;
  readonly #resolvers: () => Promise<readonly string[]>;
  readonly #ownership: Ownership;
  readonly #moves: SandboxMoves;
  readonly #watch: PollScheduler;
  readonly #observers = new Set<(what: NamespaceChange) => void>();
  readonly #forgetters = new Set<(names: readonly string[]) => void>();
  readonly #opened = new Set<{ readonly plugin: string; readonly prefix: string }>();
  /** Serializes batches, restoration and removal. */
  readonly #mutex = new Mutex();
  readonly #queue = new RequestQueue<AskedLink>({
    permission: "netlink",
    max: NETLINK.waiting,
    failed,
    mutex: this.#mutex,
    choose: (jobs) => nextBatch(jobs, (name) => this.#ownership.peer(name)),
    serve: (batch) => this.#serve(batch),
  });
  #reconciled: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: NetlinkHubOptions) {
    const { logger, resolvers, report = () => {}, lost = () => {} } = options;
    this.backend = options.use ?? openBackend(options);
    this.#ledger = options.ledger ?? new MemoryLedger<LedgerRow>();
    this.#logger = logger;
    this.#ownership = new Ownership(this.#ledger, (names) => {
      for (const listener of this.#forgetters) listener(names);
    });
    this.#moves = new SandboxMoves(this.#ownership, this.backend);
    this.#resolvers = resolvers ? async () => resolvers() : () => this.backend.resolvers();
    this.#watch = watchNamespace({
      backend: this.backend,
      ownership: this.#ownership,
      logger,
      restore: () =>
        this.#mutex.run(async () => {
          if (!this.#closing) await restoreLinks(this.#ownership, this.backend, { logger, report, lost });
        }),
      changed: (what) => {
        for (const observer of this.#observers) observer(what);
      },
    });
  }

  get kind(): "kernel" | "model" {
    return this.backend.kind;
  }

  get invocations(): number {
    return this.backend.invocations;
  }

  held(plugin: string): readonly Pick<LedgerRow, "name" | "spec">[] {
    return this.#ownership.of(plugin);
  }

  open(plugin: string, granted: NetlinkLimits): HostPower {
    // A copy, whose identity distinguishes this grant's requests from the next one's.
    const limits = { ...granted };
    const prefix = { plugin, prefix: limits.prefix };
    const clash = clashingPrefixes([...this.#opened, prefix].map((one) => [one.plugin, one.prefix]));
    if (clash) {
      throw new DriverError(
        "ERR_POLICY_INVALID",
        `the netlink prefixes of plugins "${clash[0]}" and "${clash[1]}" begin alike: their links could not be told apart; give each its own prefix in the policy`,
        { plugin },
      );
    }
    this.#opened.add(prefix);
    return createNetlinkPower({
      plugin,
      ask: (request) => this.#queue.add({ plugin, limits, request }),
      close: () => {
        this.#opened.delete(prefix);
        this.#queue.refuse(limits);
      },
    });
  }

  otherEnd(plugin: string, link: string): string | undefined {
    return this.#ownership.row(link)?.plugin === plugin ? this.#ownership.peer(link) : undefined;
  }

  owns(plugin: string, link: string): boolean {
    const row = this.#ownership.row(link);
    return row?.plugin === plugin && (row.ifindex !== undefined || row.moved !== undefined);
  }

  owner(link: string, view: NamespaceView): string | undefined {
    const plugin = this.#ownership.row(link)?.plugin;
    return plugin !== undefined && this.#ownership.own(plugin, link, view) ? plugin : undefined;
  }

  async sandboxProblem(links: readonly SandboxLink[]): Promise<string | undefined> {
    if (links.length === 0) return undefined;
    await this.reconcile();
    const view = await this.backend.look({ addresses: true, routes: true });
    return sandboxProblem(links, {
      view,
      resolvers: await this.#resolvers(),
      owner: (name) => this.owner(name, view),
    });
  }

  moved(link: string, netns: string): Promise<void> {
    return this.#moves.moved(link, { netns });
  }

  returned(link: string): Promise<void> {
    return this.#moves.returned(link);
  }

  allReturned(plugin: string, away: () => ReadonlySet<string>): Promise<void> {
    return this.#moves.allReturned(plugin, away);
  }

  release(plugin: string): Promise<void> {
    return this.#remove(() => this.#ownership.of(plugin));
  }

  reconcile(): Promise<void> {
    this.#reconciled ??= reconcile(this.#ownership, this.backend, this.#logger)
      .then(() => {
        if (!this.#closing) this.#watch.start();
      })
      .catch((error) => {
        this.#reconciled = undefined;
        throw error;
      });
    return this.#reconciled;
  }

  observe(listener: (what: NamespaceChange) => void): () => void {
    this.#observers.add(listener);
    return () => this.#observers.delete(listener);
  }

  forgotten(listener: (names: readonly string[]) => void): () => void {
    this.#forgetters.add(listener);
    return () => this.#forgetters.delete(listener);
  }

  close(): Promise<void> {
    this.#queue.close();
    this.#closing ??= this.#watch
      .stop()
      .then(() => this.#remove(() => (this.#ledger.durable ? [] : this.#ownership.all())))
      .then(() => this.backend.close());
    return this.#closing;
  }

  async #serve(batch: readonly Job<AskedLink>[]): Promise<void> {
    await this.reconcile();
    const context = { ownership: this.#ownership, backend: this.backend, resolvers: this.#resolvers };
    const plugins = batch.map(({ plugin }) => plugin);
    await traceBatch("netlink", plugins, () => runBatch(batch, context));
  }

  /** Removes links between two batches. A failure is logged instead of rejected, so that it cannot prevent a stop. */
  #remove(which: () => readonly LedgerRow[]): Promise<void> {
    return this.#mutex.run(async () => {
      const rows = which();
      if (rows.length === 0) return;
      await removeLinks(rows, this.#ownership, this.backend, this.#logger).catch((error: unknown) => {
        this.#logger.error({ err: error, links: rows.map(({ name }) => name) }, "netlink: links could not be removed");
      });
    });
  }
}
