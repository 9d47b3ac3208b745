/**
 * One host's traffic control: one namespace, one ledger, every plugin's shaped links. Requests of one turn of the event loop are judged,
 * recorded and carried out in one run; two for the same link, in two runs.
 */
import type { OperatorLog } from "../../common/logger.js";
import { Mutex } from "../../common/mutex.js";
import { traceBatch } from "../../common/tracing.js";
import type { ExternalChange } from "../external-changes.js";
import { isGone, MemoryLedger } from "../ledger.js";
import type { NetlinkHub } from "../netlink/hub.js";
import type { HostPower } from "../permission.js";
import { type Job, RequestQueue } from "../request-queue.js";
import type { TrafficBackend } from "./backend.js";
import { openTraffic } from "./choose.js";
import { failed } from "./errors.js";
import type { TrafficLimits } from "./grant.js";
import { createTrafficPower } from "./host.js";
import { ifbOf, inForce, readIfbMark, type TrafficChange, type TrafficLedger, type TrafficRow } from "./ledger.js";
import { TRAFFIC } from "./limits.js";
import { nextBatch } from "./next-batch.js";
import { ShapeRestorer } from "./restore-shapes.js";
import { checkRules } from "./rules.js";
import { type AskedShape, reshape, reshapingOf, runBatch, type Shapes, shapedLink } from "./run-batch.js";
import { changedBy, SHAPE_FIELDS, type ShapeChange, type TrafficShape } from "./shape.js";

/** What `createTrafficHub` takes. */
export interface TrafficHubOptions {
  /** Knows which plugin owns each link, and whether this host works on the kernel or on a model. */
  readonly netlink: NetlinkHub;
  /** The namespace netlink works in: a name, a path, or absent. */
  readonly netns?: string | undefined;
  readonly logger: OperatorLog;
  /** Default: one in memory, whose shapes are removed at `close()`. */
  readonly ledger?: TrafficLedger | undefined;
  /** Replaces the backend that netlink's kind and `netns` would choose. */
  readonly use?: TrafficBackend | undefined;
  /** Called with each change that another program made. */
  readonly report?: ((event: ExternalChange) => void) | undefined;
}

/** One host's traffic control. */
export interface TrafficHub {
  /** The backend itself: calls to it are not checked against any grant. */
  readonly backend: TrafficBackend;
  /** Opens a plugin's power. */
  open(plugin: string, limits: TrafficLimits): HostPower;
  /**
   * Overrides a link's shape for an operator, regardless of the grant, until the link is gone; undefined removes the override. Resolves
   * with the shape in force. Rejects with `ERR_TRAFFIC_REFUSED`, `ERR_TRAFFIC_FAILED`.
   */
  change(link: string, change: ShapeChange | undefined): Promise<TrafficShape>;
  /** A plugin's shaped links by name, as it asked for them. */
  held(plugin: string): ReadonlyMap<string, TrafficShape>;
  /** After a crash: shapes links as recorded, and removes what belongs to links that are gone. Also runs before the first request. */
  reconcile(): Promise<void>;
  /** Takes no more requests; removes the shapes unless the ledger is durable. Idempotent. */
  close(): Promise<void>;
}

/** Opens the traffic control of one host. Nothing is run before the first request. */
export function createTrafficHub(options: TrafficHubOptions): TrafficHub {
  return new Hub(options);
}

class Hub implements TrafficHub, Shapes {
  readonly backend: TrafficBackend;
  readonly netlink: NetlinkHub;
  readonly ledger: TrafficLedger;
  readonly rows = new Map<string, TrafficRow>();
  readonly #logger: OperatorLog;
  readonly #restorer: ShapeRestorer;
  /** Serializes everything that reads or changes shapes. */
  readonly #mutex = new Mutex();
  readonly #queue = new RequestQueue<AskedShape>({
    permission: "traffic",
    max: TRAFFIC.waiting,
    failed,
    mutex: this.#mutex,
    choose: nextBatch,
    serve: (batch) => this.#serve(batch),
  });
  readonly #unobserve: () => void;
  #loaded = false;
  #closing: Promise<void> | undefined;

  constructor({ netlink, netns, logger, ledger, use, report = () => {} }: TrafficHubOptions) {
    this.netlink = netlink;
    this.ledger = ledger ?? new MemoryLedger<TrafficRow>();
    this.backend = use ?? openTraffic(netlink.kind, netns);
    this.#logger = logger;
    const poll = (): Promise<void> =>
      this.#quietly("what others have changed could not be restored", () => this.#restorer.restore());
    this.#restorer = new ShapeRestorer({ shapes: this, logger, report, poll });
    this.#unobserve = netlink.forgotten((names) => {
      if (names.some((name) => this.rows.has(name)))
        void this.#quietly("what was made for a link that is gone could not be removed", () => this.#prune());
    });
  }

  readonly record = async (changes: readonly TrafficChange[]): Promise<void> => {
    if (changes.length === 0) return;
    await this.ledger.write(changes);
    for (const change of changes) {
      if ("put" in change) this.rows.set(change.put.name, change.put);
      else this.rows.delete(change.drop);
    }
  };

  open(plugin: string, granted: TrafficLimits): HostPower {
    // A copy, whose identity distinguishes this grant's requests from the next one's.
    const limits = { ...granted };
    return createTrafficPower({
      plugin,
      ask: (request) => this.#queue.add({ plugin, limits, request }),
      close: () => this.#queue.refuse(limits),
    });
  }

  change(link: string, change: ShapeChange | undefined): Promise<TrafficShape> {
    return this.#mutex.run(async () => {
      if (this.#closing) throw failed(undefined, "shape", "the host is closing");
      await this.#load();
      const view = await this.netlink.backend.look();
      const row = this.rows.get(link);
      const before = row && view.links.get(link)?.ifindex === row.ifindex ? inForce(row) : {};
      const shape = change && changedBy(before, change);
      const owner = (name: string): string | undefined => this.netlink.owner(name, view);
      const fields = SHAPE_FIELDS.filter((field) => shape?.[field] !== undefined);
      const missing = await this.backend.missing(fields);
      const situation = { plugin: undefined, limits: undefined, links: view.links, owner, rows: [], missing };
      checkRules({ op: "shape", link, shape: shape ?? {} }, situation);
      const plugin = owner(link) ?? "";
      const reshaping = reshapingOf(link, view, this, (one) => ({ ...one, plugin, changed: shape }));
      const [words] = await reshape([reshaping], this);
      if (words !== undefined) throw failed(plugin, "shape", words);
      await this.#restorer.remember();
      return inForce(reshaping.after);
    });
  }

  held(plugin: string): ReadonlyMap<string, TrafficShape> {
    const own = [...this.rows.values()].filter((row) => row.plugin === plugin);
    return new Map(own.flatMap(({ name, asked }) => (asked ? [[name, asked] as const] : [])));
  }

  reconcile(): Promise<void> {
    return this.#mutex.run(() => this.#load());
  }

  close(): Promise<void> {
    this.#queue.close();
    this.#closing ??= this.#quietly("shapes could not be removed", async () => {
      this.#unobserve();
      await this.#restorer.stop();
      if (this.ledger.durable || this.rows.size === 0) return;
      const { links } = await this.netlink.backend.look();
      const rows = [...this.rows.values()];
      const there = rows.filter(({ name, ifindex }) => links.get(name)?.ifindex === ifindex);
      await this.backend.apply(
        there.map((row) => ({ ...shapedLink(row, { name: row.name, mtu: 0 }, this.ledger.id), shape: {} })),
      );
      await this.#forget(rows.filter((row) => !there.includes(row)));
      await this.record(there.map(({ name }) => ({ drop: name })));
    });
    return this.#closing;
  }

  async #serve(batch: readonly Job<AskedShape>[]): Promise<void> {
    await this.#load();
    const plugins = batch.map(({ plugin }) => plugin);
    await traceBatch("traffic", plugins, () => runBatch(batch, this));
    if (batch.some(({ request }) => request.op === "shape")) await this.#restorer.remember();
  }

  /** Reads the ledger once, and brings the namespace into line with it. */
  async #load(): Promise<void> {
    if (this.#loaded) return;
    await this.netlink.reconcile();
    for (const row of await this.ledger.load()) this.rows.set(row.name, row);
    const { links } = await this.netlink.backend.look();
    const own = new Set([...this.rows.keys()].map((name) => ifbOf(this.ledger.id, name)));
    const left = [...links.values()].flatMap(({ name, alias }) => {
      const mark = readIfbMark(alias);
      if (mark === undefined) return [];
      const orphan = mark.ledger === this.ledger.id && !own.has(name);
      return orphan || isGone(mark.ledger) ? [{ link: mark.link, ifb: name }] : [];
    });
    if (left.length > 0) await this.backend.remove(left);
    this.#loaded = true;
    await this.#prune();
    const rows = [...this.rows.values()];
    const failures = await this.backend.apply(
      rows.map((row) => shapedLink(row, { name: row.name, mtu: links.get(row.name)?.mtu ?? 0 }, this.ledger.id)),
    );
    for (const [at, { name, plugin }] of rows.entries()) {
      const words = failures[at]?.words;
      if (words !== undefined)
        this.#logger.error({ plugin }, `traffic: link "${name}" could not be shaped again as recorded: ${words}`);
    }
    await this.#restorer.remember();
  }

  /** Removes what was made for links that are gone, and forgets them. */
  async #prune(): Promise<void> {
    const view = await this.netlink.backend.look();
    const gone = [...this.rows.values()].filter(
      ({ name, plugin, ifindex }) =>
        view.links.get(name)?.ifindex !== ifindex || this.netlink.owner(name, view) !== plugin,
    );
    await this.#forget(gone);
  }

  async #forget(rows: readonly TrafficRow[]): Promise<void> {
    if (rows.length === 0) return;
    await this.backend.remove(rows.map(({ name }) => ({ link: name, ifb: ifbOf(this.ledger.id, name) })));
    await this.record(rows.map(({ name }) => ({ drop: name })));
  }

  /** Logs a failure instead of rejecting, so that it cannot prevent a stop. */
  #quietly(what: string, work: () => Promise<void>): Promise<void> {
    return this.#mutex.run(work).catch((error: unknown) => this.#logger.error({ err: error }, `traffic: ${what}`));
  }
}
