/** One plugin's life: loaded, restarted when its worker ends, replaced by a newer version of itself, stopped. */
import type { DriverError } from "../../driverapi/errors.js";
import type { JsonObject } from "../../driverapi/json.js";
import type { ProfileKind } from "../../isolation/profiling.js";
import type { LostLink } from "../../permissions/netlink/restore-links.js";
import type { Effective } from "../../policy/effective.js";
import type { Manifest } from "../../policy/manifest/schema.js";
import type { Tally } from "../calls/tally.js";
import type { HostContext } from "../context.js";
import type { Discovered } from "../discovered.js";
import { exceeding, grantInForce } from "./current-grant.js";
import type { PluginInfo, PluginState } from "./info.js";
import { Loader } from "./loader.js";
import { LostLinks } from "./lost-links.js";
import { type Hold, Operator } from "./operator.js";
import { PluginContext } from "./plugin-context.js";
import type { PluginWorker, WorkerHooks } from "./plugin-worker.js";
import type { Prepared } from "./prepare.js";
import { Recovery } from "./recovery.js";
import { Stopper } from "./stopper.js";
import { Usage } from "./usage.js";

export class Plugin {
  readonly id: string;
  readonly #plugin: PluginContext;
  readonly #recovery: Recovery;
  readonly #stopper: Stopper;
  readonly #loader: Loader;
  readonly #operator: Operator;
  readonly #lost: LostLinks;
  readonly #usage = new Usage();
  /** Where it was found last. */
  #found: Discovered | undefined;

  constructor(id: string, host: HostContext) {
    this.id = id;
    const plugin = new PluginContext(id, host, {
      worker: (prepared) => this.#hooks(prepared),
      networkGone: () => {
        if (plugin.draining !== undefined) void plugin.enqueue(() => this.#stopper.endDrained());
        else if (!plugin.active.alive) void plugin.enqueue(() => this.#stopper.releaseUnused());
      },
    });
    this.#plugin = plugin;
    this.#recovery = new Recovery(plugin);
    this.#stopper = new Stopper(plugin, this.#recovery);
    this.#loader = new Loader(plugin, this.#recovery, this.#stopper);
    this.#operator = new Operator(plugin, this.#recovery);
    this.#lost = new LostLinks({ plugin: id, context: host, remake: () => plugin.enqueue(() => this.#remake()) });
  }

  get state(): PluginState {
    return this.#plugin.state;
  }

  /** True while calls are pending. */
  get busy(): boolean {
    return this.#plugin.drivers.busy;
  }

  info(): PluginInfo {
    const { active, drivers, state, since, refusal, counters } = this.#plugin;
    const { prepared, current } = active;
    const { effective, version, sha256 } = prepared ?? {};
    const grant = grantInForce(this.#plugin);
    return {
      name: this.id,
      version,
      state,
      since,
      drivers: drivers.types(),
      external: drivers.external(),
      isolation: current?.isolation ?? effective?.isolation,
      wall: current?.wall,
      pid: current?.pid,
      grant: grant && { scope: grant.scope, permissions: grant.permissions },
      sha256,
      ...(refusal ? { refusal } : {}),
      counters: {
        ...counters,
        latency: this.#usage.latency(),
        cpuMs: this.#usage.cpuMs(current?.alive ? current : undefined),
        memoryMb: (current?.alive ? current.residentMb : undefined) || undefined,
      },
    };
  }

  /** What its calls did. */
  get tally(): Tally {
    return this.#plugin.tally;
  }

  /** What the version that runs, or ran last, may use and must keep; undefined before the first. */
  get effective(): Effective | undefined {
    return this.#plugin.active.prepared?.effective;
  }

  /** The manifest of the version that runs, or ran last. */
  get manifest(): Manifest | undefined {
    return this.#plugin.active.prepared?.manifest;
  }

  /** The folder whose node_modules hold its packages; undefined before it was found. */
  get packages(): string | undefined {
    return this.#found?.root;
  }

  /** Takes a profile of its worker in service, with the source map of its code. Rejects with an error that gives the reason. */
  async profile(
    of: ProfileKind,
    ms: number,
    gone?: AbortSignal,
  ): Promise<{ readonly text: string; readonly sourceMap: string }> {
    const { current } = this.#plugin.active;
    if (!current?.alive) throw new Error(`it has no worker: it is ${this.state}`);
    return { text: await current.profile(of, ms, gone), sourceMap: current.prepared.sourceMap };
  }

  heartbeat(): void {
    const { state, active } = this.#plugin;
    if (state === "running" || state === "orphaned") active.current?.session.heartbeat();
  }

  /** True when an edit of the policy may start it. */
  get wanted(): boolean {
    return this.#plugin.held === undefined && (this.#plugin.state !== "stopped" || this.#stopper.byPolicy);
  }

  /**
   * Revokes at once what the policy no longer grants to the running version. The load that follows decides whether the plugin
   * can run without it.
   */
  enforce(): void {
    const { host, reports, active } = this.#plugin;
    const gone = exceeding(this.#plugin);
    if (gone.length === 0) return;
    reports.revoked(gone);
    active.revoke(gone).catch((error: unknown) => {
      host.logger.error({ plugin: this.id, err: error }, "a power that was revoked could not be closed");
    });
  }

  /** Loads what was found (`Loader.load`), after all earlier changes. */
  load(found: Discovered, when: "always" | "if changed" = "always"): Promise<DriverError | undefined> {
    this.#recovery.endPause();
    this.#found = found;
    return this.#plugin.enqueue(async () => this.#operator.refusal ?? (await this.#loader.load(found, when)));
  }

  /** Takes it out of service on an operator's word (`Operator.hold`). */
  hold(how: Hold): Promise<void> {
    this.#recovery.endPause();
    return this.#operator.hold(how);
  }

  /** Number of holds so far: what a request to start it may lift. */
  get holds(): number {
    return this.#plugin.holds;
  }

  /**
   * Starts it on an operator's word: lifts a hold, and loads what was found. Resolves with why it was refused. `holds`: their number when
   * it was asked for; a later one stays.
   */
  async start(found: Discovered, holds: number): Promise<DriverError | undefined> {
    const plugin = this.#plugin;
    if (plugin.held === undefined && plugin.active.alive) return undefined;
    if (plugin.holds !== holds) return this.#operator.refusal;
    if (plugin.held !== undefined) this.#operator.lift();
    const refusal = await this.load(found);
    if (refusal && !plugin.active.alive && plugin.held === undefined) plugin.drivers.refuse(refusal.message);
    return refusal;
  }

  /** Restarts it on an operator's word (`Operator.restart`). Resolves with false if there is nothing to restart: it must be started. */
  restart(): Promise<boolean> {
    this.#recovery.endPause();
    return this.#plugin.enqueue(() => this.#operator.restart());
  }

  /** Unloads it (`Stopper.unload`), after all earlier changes. */
  unload(force = false): Promise<readonly string[]> {
    this.#recovery.endPause();
    return this.#plugin.enqueue(async () => {
      const networks = await this.#stopper.unload(force);
      if (this.#plugin.held === "stopped") this.#plugin.held = undefined;
      return networks;
    });
  }

  /** Called when the plugin's files are gone. Returns true if it had been refused and nothing is left to report. */
  orphan(): Promise<boolean> {
    return this.#plugin.enqueue(async () => this.#plugin.held === undefined && (await this.#stopper.orphan()));
  }

  /** Called when another program has deleted links of the plugin. */
  linksLost(links: readonly LostLink[]): void {
    this.#lost.note(links);
  }

  /** Ends everything, even with networks; the journal keeps them. */
  close(): Promise<void> {
    this.#lost.stop();
    return this.#stopper.close();
  }

  /** Replays the driver's networks, as after a restart; a restart in progress replays them anyway. */
  async #remake(): Promise<boolean> {
    const plugin = this.#plugin;
    const { current } = plugin.active;
    if (!current?.alive || plugin.ended || plugin.networks().length === 0) return false;
    if (exceeding(plugin).length > 0) return false;
    await plugin.active.replace(current.prepared);
    return true;
  }

  #configurations({ prepared }: PluginWorker, type: string): readonly JsonObject[] {
    const { options } = prepared.effective;
    const policy = Object.hasOwn(options, type) ? (options[type] ?? {}) : {};
    const platform = this.#plugin.drivers.configured(type);
    return platform ? [policy, platform] : [policy];
  }

  #hooks({ sha256 }: Prepared): WorkerHooks {
    const { drivers, reports, active } = this.#plugin;
    return {
      admit: (worker, registration) => drivers.admit(worker, registration),
      configurations: (worker, type) => this.#configurations(worker, type),
      registered: (worker, registration) => drivers.register(worker, registration, worker === active.current),
      unregistered: (_generation, { type }) => drivers.withdraw(type),
      refused: (type, error) => reports.driverRefused(type, error, sha256),
      throttled: (code, detail) => reports.throttled(code, detail, sha256),
      violation: (code, detail) => reports.violation(code, detail, sha256),
      clean: () => this.#recovery.clean,
      crashes: () => this.#recovery.crashes(sha256),
      move: (worker) => void this.#plugin.enqueue(() => this.#recovery.move(worker)),
      replied: (ms) => this.#usage.replied(ms),
      ended: (worker, end) => {
        this.#usage.ended(worker);
        if (worker === active.current && end.crash) this.#recovery.crashed(end);
      },
    };
  }
}
