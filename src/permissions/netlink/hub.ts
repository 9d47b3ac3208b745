/**
 * All of one host's netlink: one namespace, one ledger, every plugin's requests. What is asked within one turn of the host's loop is
 * looked at together, written to the ledger together, and carried out in one run; a request that touches what an earlier one
 * touches waits for the next run, so that each is judged by what is there when its turn comes.
 */
import type { OperatorLog } from "../../common/logger.js";
import { messageOf } from "../../common/text.js";
import { DriverError } from "../../driverapi/errors.js";
import type { Json } from "../../driverapi/json.js";
import type { ExternalChange } from "../external-changes.js";
import type { HostPower } from "../permission.js";
import type { NamespaceView, NetlinkBackend } from "./backend.js";
import { type BackendChoice, openBackend } from "./choose.js";
import { failed } from "./errors.js";
import { clashingPrefixes, type NetlinkLimits } from "./grant.js";
import { createNetlinkPower } from "./host.js";
import { type LedgerRow, MemoryLedger, type MovedTo, type NetlinkLedger } from "./ledger.js";
import { NETLINK } from "./limits.js";
import { LinksWatch, type NamespaceChange } from "./links-watch.js";
import { Ownership } from "./ownership.js";
import { reconcile } from "./reconcile.js";
import { removeLinks } from "./removal.js";
import type { NetlinkRequest } from "./request.js";
import { type LostLink, restoreLinks } from "./restore-links.js";
import { type SandboxLink, sandboxProblem } from "./rules-sandbox.js";
import { type Job, runWave, takeWave } from "./wave.js";

/** What `createNetlinkHub` takes. */
export interface NetlinkHubOptions extends BackendChoice {
  readonly logger: OperatorLog;
  /** Default: one in memory, whose links are removed at `close()`. */
  readonly ledger?: NetlinkLedger | undefined;
  /** Instead of what `backend` and `netns` choose. */
  readonly use?: NetlinkBackend | undefined;
  /** Takes what somebody else has done to a link. */
  readonly report?: ((event: ExternalChange) => void) | undefined;
  /** Told of a plugin's links that somebody else has deleted. */
  readonly lost?: ((plugin: string, links: readonly LostLink[]) => void) | undefined;
  /** The name servers' addresses, canonical. Default: those of `/etc/resolv.conf`; of a model, none. */
  readonly resolvers?: (() => readonly string[]) | undefined;
}

/** One host's netlink. */
export interface NetlinkHub {
  readonly kind: "kernel" | "model";
  /** Runs of `ip` so far; of the model, what would have been one. */
  readonly invocations: number;
  /** The namespace itself, for the host's own use (sandboxes); no rule stands before it. */
  readonly backend: NetlinkBackend;
  /** A plugin's way in. Throws `ERR_POLICY_INVALID` when its prefix cannot be told from another open plugin's. */
  open(plugin: string, limits: NetlinkLimits): HostPower;
  /** True for a link the plugin made and that is still its own, in the namespace or in a sandbox. */
  owns(plugin: string, link: string): boolean;
  /** The plugin a link is of, as ledger and a look at the namespace agree; undefined for any other. */
  owner(link: string, view: NamespaceView): string | undefined;
  /** Why the host may not put links into a sandbox; undefined when it may. */
  sandboxProblem(links: readonly SandboxLink[]): Promise<string | undefined>;
  /**
   * Notes that the host is about to move a link into a sandbox's namespace (a path, or a name). Resolves when it is written;
   * only then may the link be moved, for one that is gone without a word counts as deleted.
   */
  moved(link: string, netns: string): Promise<void>;
  /** Notes that the host has moved a link back, under its own name; to be called when it is there. */
  returned(link: string): Promise<void>;
  /** Notes which of a plugin's links, but those `away`, have been moved back by whoever moved them. */
  allReturned(plugin: string, away: ReadonlySet<string>): Promise<void>;
  /** Removes every link of a plugin, wherever it is. */
  release(plugin: string): Promise<void>;
  /** Adopts, forgets and removes after a crash: what ledger and marks do not agree on. Happens by itself before the first request. */
  reconcile(): Promise<void>;
  /** Tells of changes in the namespace, whoever made them, until the function that is returned is called. */
  observe(listener: (what: NamespaceChange) => void): () => void;
  /** No request is taken any more; links are removed unless the ledger is durable. Twice is harmless. */
  close(): Promise<void>;
}

/**
 * Opens the netlink of one host. Nothing is run before the first request.
 * Throws `ERR_OPTIONS` when the kernel is asked for and cannot be had, or the namespace does not exist.
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
  readonly #watch: LinksWatch;
  readonly #observers = new Set<(what: NamespaceChange) => void>();
  readonly #report: (event: ExternalChange) => void;
  readonly #lost: (plugin: string, links: readonly LostLink[]) => void;
  readonly #opened = new Set<{ readonly plugin: string; readonly prefix: string }>();
  #queue: readonly Job[] = [];
  #running: Promise<void> | undefined;
  #ready: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: NetlinkHubOptions) {
    this.backend = options.use ?? openBackend(options);
    this.#ledger = options.ledger ?? new MemoryLedger();
    this.#logger = options.logger;
    this.#ownership = new Ownership(this.#ledger);
    this.#report = options.report ?? (() => {});
    this.#lost = options.lost ?? (() => {});
    this.#watch = new LinksWatch({
      backend: this.backend,
      ownership: this.#ownership,
      logger: this.#logger,
      look: () => this.#restore(),
      tell: (what) => {
        for (const observer of this.#observers) observer(what);
      },
    });
    const { resolvers } = options;
    this.#resolvers = resolvers ? async () => resolvers() : () => this.backend.resolvers();
  }

  get kind(): "kernel" | "model" {
    return this.backend.kind;
  }

  get invocations(): number {
    return this.backend.invocations;
  }

  open(plugin: string, granted: NetlinkLimits): HostPower {
    // A copy of its own: by it the requests of this grant are told from those of the next one.
    const limits = { ...granted };
    const seat = { plugin, prefix: limits.prefix };
    const clash = clashingPrefixes([...this.#opened, seat].map((one) => [one.plugin, one.prefix]));
    if (clash) {
      throw new DriverError(
        "ERR_POLICY_INVALID",
        `the netlink prefixes of plugins "${clash[0]}" and "${clash[1]}" begin alike: their links could not be told apart; give each its own prefix in the policy`,
        { plugin },
      );
    }
    this.#opened.add(seat);
    return createNetlinkPower({
      plugin,
      ask: (request) => this.#ask(plugin, limits, request),
      close: () => {
        this.#opened.delete(seat);
        this.#refuseWaiting(plugin, limits);
      },
    });
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

  async moved(link: string, netns: string): Promise<void> {
    await this.#note(link, { netns });
  }

  async allReturned(plugin: string, away: ReadonlySet<string>): Promise<void> {
    const rows = this.#ownership.of(plugin).filter(({ name, ifindex }) => ifindex !== undefined && !away.has(name));
    if (rows.length === 0) return;
    const { links } = await this.backend.look();
    const back = rows.filter((row) => {
      const link = links.get(row.name);
      // A link that is back may have another index than it had.
      return link?.alias === this.#ownership.mark(row) && (row.moved !== undefined || link.ifindex !== row.ifindex);
    });
    for (const { name } of back) await this.returned(name);
  }

  async returned(link: string): Promise<void> {
    const row = this.#ownership.row(link);
    if (!row) return;
    // A step, and not a look: the link is as new in this namespace, and deaf to router advertisements only by one.
    const now = (await this.backend.apply([[{ change: { op: "look", name: link } }]])).seen.get(link);
    // Its index may have been taken where it was: the kernel then gives it another one, and its mark says that it is the same.
    const same = now?.alias === this.#ownership.mark(row);
    await this.#ownership.write([{ put: { ...row, moved: undefined, ...(same ? { ifindex: now.ifindex } : {}) } }]);
  }

  async release(plugin: string): Promise<void> {
    await this.#remove(() => this.#ownership.of(plugin));
  }

  reconcile(): Promise<void> {
    this.#ready ??= reconcile(this.#ownership, this.backend, this.#logger)
      .then(() => {
        if (!this.#closing) this.#watch.start();
      })
      .catch((error) => {
        this.#ready = undefined;
        throw error;
      });
    return this.#ready;
  }

  observe(listener: (what: NamespaceChange) => void): () => void {
    this.#observers.add(listener);
    return () => this.#observers.delete(listener);
  }

  close(): Promise<void> {
    this.#closing ??= this.#watch
      .stop()
      .then(() => this.#remove(() => (this.#ledger.durable ? [] : this.#ownership.all())));
    return this.#closing;
  }

  /** Puts right, while no wave runs, what others have done to links. What fails is logged. */
  async #restore(): Promise<void> {
    while (this.#running) await this.#running;
    if (this.#closing) return;
    this.#running = restoreLinks(this.#ownership, this.backend, {
      logger: this.#logger,
      report: this.#report,
      lost: this.#lost,
    });
    await this.#running;
    this.#running = undefined;
    if (this.#queue.length > 0) void this.#run();
  }

  #ask(plugin: string, limits: NetlinkLimits, request: NetlinkRequest): Promise<Json> {
    if (this.#closing) return Promise.reject(failed(plugin, request.op, "the host is closing"));
    const waiting = this.#queue.reduce((count, job) => (job.plugin === plugin ? count + 1 : count), 0);
    if (waiting >= NETLINK.waiting) {
      const why = `more than ${NETLINK.waiting} requests of plugin "${plugin}" are waiting; await their answers`;
      return Promise.reject(new DriverError("ERR_PERMISSION_LIMIT", `netlink.${request.op}: ${why}`, { plugin }));
    }
    return new Promise((resolve, reject) => {
      this.#queue = [...this.#queue, { plugin, limits, request, resolve, reject }];
      void this.#run();
    });
  }

  /** Refuses what waits by a grant that has ended. `limits`: the very object that the grant was opened with. */
  #refuseWaiting(plugin: string, limits: NetlinkLimits): void {
    const gone = this.#queue.filter((job) => job.limits === limits);
    this.#queue = this.#queue.filter((job) => job.limits !== limits);
    for (const { request, reject } of gone) reject(failed(plugin, request.op, "its grant has ended"));
  }

  /** Runs until nothing waits. What is asked within the present turn of the loop comes along. */
  #run(): Promise<void> {
    this.#running ??= (async () => {
      await new Promise((resolve) => setImmediate(resolve));
      try {
        while (this.#queue.length > 0) {
          const { wave, rest } = takeWave(this.#queue, (name) => this.#ownership.peer(name));
          this.#queue = rest;
          await this.#wave(wave);
        }
      } finally {
        this.#running = undefined;
      }
    })();
    return this.#running;
  }

  async #wave(wave: readonly Job[]): Promise<void> {
    try {
      await this.reconcile();
      await runWave(wave, { ownership: this.#ownership, backend: this.backend, resolvers: this.#resolvers });
    } catch (error) {
      for (const { plugin, request, reject } of wave) {
        const why = messageOf(error);
        reject(error instanceof DriverError ? error : failed(plugin, request.op, why, error));
      }
    }
  }

  /** Removes links while no wave runs. What fails is logged: it stands in the way of no stop. */
  async #remove(which: () => readonly LedgerRow[]): Promise<void> {
    while (this.#running) await this.#running;
    const rows = which();
    if (rows.length === 0) return;
    this.#running = removeLinks(rows, this.#ownership, this.backend, this.#logger).catch((error: unknown) => {
      this.#logger.error({ err: error, links: rows.map(({ name }) => name) }, "netlink: links could not be removed");
    });
    await this.#running;
    this.#running = undefined;
    if (this.#queue.length > 0) void this.#run();
  }

  async #note(link: string, moved: MovedTo | undefined): Promise<void> {
    const row = this.#ownership.row(link);
    if (row) await this.#ownership.write([{ put: { ...row, moved } }]);
  }
}
