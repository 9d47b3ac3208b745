/** One plugin's life: loaded, restarted when it ends, replaced by a newer version of itself, stopped. */

import { isDeepStrictEqual } from "node:util";
import { messageOf, shortList } from "../../common/text.js";
import { DriverError } from "../../driverapi/errors.js";
import type { JsonObject } from "../../driverapi/json.js";
import { WALLS } from "../../isolation/limits.js";
import type { LostLink } from "../../permissions/netlink/restore-links.js";
import { differences, differenceText } from "../../policy/difference.js";
import { type Effective, effectiveGrant } from "../../policy/effective.js";
import { policyEntry } from "../../policy/schema.js";
import { standingOf } from "../../policy/standing.js";
import type { SessionEnd } from "../../session/outcome.js";
import type { Counters } from "../calls/conditions.js";
import type { HostContext } from "../context.js";
import type { Discovered } from "../discovered.js";
import { Comeback, type Ending } from "./comeback.js";
import { DriverSet } from "./driver-set.js";
import type { Generation, GenerationHooks } from "./generation.js";
import type { PluginInfo, PluginState } from "./info.js";
import { LostLinks } from "./lost-links.js";
import { awaitsGrant, type Prepared, prepare, prepareShelved } from "./prepare.js";
import { PluginReports } from "./reports.js";
import { inUse, Service } from "./service.js";
import { Usage } from "./usage.js";

export class Plugin {
  readonly id: string;
  readonly counters: Counters = { calls: 0, errors: 0, timeouts: 0, restarts: 0, violations: 0 };
  readonly #context: HostContext;
  readonly #usage = new Usage();
  readonly #drivers: DriverSet;
  readonly #reports: PluginReports;
  readonly #comeback: Comeback;
  #state: PluginState = "loading";
  #refusal: DriverError | undefined;
  readonly #service: Service;
  /** Why it drains, that is, serves on until its last network is deleted: its file is gone, or the policy stops it. */
  #draining: string | undefined;
  /** Where it was found last. */
  #found: Discovered | undefined;
  /** True if the policy has stopped it: it starts again when the policy allows it. */
  #stoppedByPolicy = false;
  #stopped = false;
  /** Digest of the code whose crashes the breaker counts. */
  #crashing: string | undefined;
  /** Crashes of its own since it was loaded. */
  #faults = 0;
  /** True if its start failed when it was last loaded: a plugin that does not even start is tried alone. */
  #failedStart = false;
  readonly #lost: LostLinks;
  /** Tail of the queue: loads, reloads, restarts and stops run one after the other (FIFO). */
  #turn: Promise<unknown> = Promise.resolve();
  constructor(id: string, context: HostContext) {
    this.id = id;
    this.#context = context;
    this.#reports = new PluginReports(id, context, this.counters, () => this.#service.prepared?.sha256);
    this.#lost = new LostLinks({ plugin: id, context, remake: () => this.#next(() => this.#remake()) });
    this.#comeback = new Comeback({
      breakerOpen: context.breakerOpen,
      wanted: () => this.#service.current === undefined && !this.#stopped && !context.closed(),
      launch: (harsh) => this.#service.launch(harsh),
      restarted: (last) => this.#restarted(last),
      failed: (error) => this.#restartFailed(error),
      givenUp: (last) => this.#giveUp(last),
      again: (last) => this.#tryAgain(last),
    });
    this.#drivers = new DriverSet({
      plugin: id,
      counters: this.counters,
      context,
      reports: this.#reports,
      effective: () => this.#effective(),
      draining: () => this.#draining,
      networkGone: () => {
        if (this.#draining !== undefined) void this.#next(() => this.#endDrained());
        else if (!this.#service.alive) void this.#next(() => this.#releaseUnused());
      },
    });
    this.#service = new Service({
      plugin: id,
      context,
      drivers: this.#drivers,
      reports: this.#reports,
      hooks: (prepared) => this.#hooks(prepared),
    });
  }

  get state(): PluginState {
    return this.#state;
  }

  /** True while calls are pending. */
  get busy(): boolean {
    return this.#drivers.busy;
  }

  info(): PluginInfo {
    const { prepared, current } = this.#service;
    const { effective, version, sha256 } = prepared ?? {};
    return {
      name: this.id,
      version,
      state: this.#state,
      drivers: this.#drivers.types(),
      external: this.#drivers.external(),
      isolation: current?.isolation ?? effective?.isolation,
      wall: current?.wall,
      pid: current?.pid,
      grant: effective && { scope: effective.scope, permissions: effective.permissions },
      sha256,
      ...(this.#refusal ? { refusal: this.#refusal } : {}),
      counters: {
        ...this.counters,
        latency: this.#usage.latency(),
        cpuMs: this.#usage.cpuMs(current?.alive ? current : undefined),
        memoryMb: (current?.alive ? current.residentMb : undefined) || undefined,
      },
    };
  }

  /** The folder whose node_modules hold its packages; undefined before it was found. */
  get packages(): string | undefined {
    return this.#found?.root;
  }

  /** Lists the ids of all networks of this plugin. */
  networks(): readonly string[] {
    return this.#drivers.networks();
  }

  heartbeat(): void {
    if (this.#state === "running" || this.#state === "orphaned") this.#service.current?.session.heartbeat();
  }

  /** True when an edit of the policy may start it. */
  get wanted(): boolean {
    return this.#state !== "stopped" || this.#stoppedByPolicy;
  }

  /**
   * Revokes at once what the policy no longer grants to the running version. The load that follows decides whether the plugin
   * can run without it.
   */
  enforce(): void {
    const gone = this.#exceeding();
    if (gone.length === 0) return;
    this.#reports.revoked(gone);
    this.#service.revoke(gone).catch((error: unknown) => {
      this.#context.logger.error({ plugin: this.id, err: error }, "a power that was revoked could not be closed");
    });
  }

  /** Returns what the policy now grants to the running version. */
  #grantNow({ manifest }: Prepared): Effective {
    const { isolation, threadsOnly } = this.#context;
    return effectiveGrant({
      id: this.id,
      policy: this.#context.policy(),
      hostIsolation: isolation,
      threadsOnly,
      manifest,
    });
  }

  /** Describes in what the running version has more than the policy now grants; "" if in nothing. */
  #excess(): string {
    const running = this.#service.prepared;
    if (!running) return "";
    const found = differences(standingOf(this.#grantNow(running)), standingOf(running.effective));
    return differenceText(found.filter(({ way }) => way === "more"));
  }

  /** Lists the permissions that the running version has and the policy no longer grants. */
  #exceeding(): readonly string[] {
    const running = this.#service.alive ? this.#service.prepared : undefined;
    if (!running) return [];
    const now = this.#grantNow(running);
    const { permissions, scope } = running.effective;
    const gone = Object.keys(permissions).filter((name) => !Object.hasOwn(now.permissions, name));
    return scope === now.scope || now.scope === "global" ? gone : [...gone, "scope"];
  }

  /**
   * Loads what was found, or replaces the running version with it. Never rejects; resolves with why it was refused.
   * "if changed": the running version stays if it has the same bytes and the same grant.
   */
  load(found: Discovered, when: "always" | "if changed" = "always"): Promise<DriverError | undefined> {
    this.#comeback.hurry();
    this.#found = found;
    return this.#next(async () => {
      if (this.#context.closed()) return hostClosed(this.id);
      const disabled = this.#disabled;
      if (disabled && !(await this.#hasNetworks())) {
        await this.#stopByPolicy();
        return undefined;
      }
      let sha256: string | undefined;
      const hashed = (digest: string): void => {
        sha256 = digest;
      };
      const before = { former: this.#service.prepared, serves: this.#service.alive, hashed };
      let started = false;
      try {
        const prepared = await prepare(found, this.#context, before);
        if (this.#context.closed()) return hostClosed(this.id);
        const stays =
          when === "if changed" && this.#service.alive && isDeepStrictEqual(prepared, this.#service.prepared);
        if (stays && this.#draining === disabled) return undefined;
        started = true;
        if (stays) this.#context.logger.debug({ plugin: this.id }, "its files are back, unchanged");
        else if (this.#service.alive) await this.#replace(prepared);
        else await this.#begin(prepared);
        this.#drain(disabled);
        this.#stoppedByPolicy = false;
        this.#failedStart = false;
        this.#refusal = undefined;
        this.#state = disabled === undefined ? "running" : "orphaned";
        this.#comeback.cancel();
        if (prepared.sha256 === this.#crashing) this.#comeback.forgive();
        else this.#comeback.forget();
        this.#reports.loaded(prepared);
        await this.#keep(prepared);
        return undefined;
      } catch (error) {
        if (started) this.#failedStart = true;
        const refusal = this.#servesOn(toDriverError(error, this.id), started);
        if (this.#exceeding().length > 0) this.#takeOut(refusal.message);
        if (awaitsGrant(refusal) && !this.#service.alive) {
          const former = await this.#beginShelved();
          const words = `${refusal.message}; the version it had before, sha256 ${former?.sha256}, serves its networks`;
          if (former) return this.#refuse(new DriverError(refusal.code, words, { plugin: this.id }), sha256);
        }
        await this.#releaseUnused();
        return this.#refuse(refusal, sha256);
      }
    });
  }

  /**
   * Stops a plugin. Rejects with `ERR_PLUGIN_IN_USE` while it has networks, unless `force` is set: its networks, links and
   * rules then stay for the next plugin that serves their type, and their ids are returned.
   */
  unload(force = false): Promise<readonly string[]> {
    this.#comeback.hurry();
    return this.#next(async () => {
      const networks = this.networks();
      if (networks.length === 0) await this.#stop("unloaded");
      else if (force) await this.#stop(`unloaded by force; ${leftWords(networks)}`, "keeps what it made");
      else throw inUse(this.id, `plugin "${this.id}" has ${networks.length} network(s)`, networks);
      return networks;
    });
  }

  /** Called when the plugin's files are gone. Returns true if it had been refused and nothing is left to report. */
  orphan(): Promise<boolean> {
    return this.#next(async () => {
      if (this.#state === "stopped") return false;
      if (!this.#service.alive && (this.#state === "refused" || this.#state === "awaiting-grant")) {
        await this.#releaseUnused();
        this.#state = "stopped";
        this.#reports.stopped("its file was removed");
        return true;
      }
      if (this.#exceeding().length > 0) this.#takeOut("its grant was revoked, and its file is gone");
      this.#drain("its file was removed");
      if (this.#state === "running") this.#state = "orphaned";
      const networks = this.networks();
      if (networks.length > 0) {
        const { message, code } = inUse(
          this.id,
          `plugin "${this.id}": its file is gone; it serves on until these networks are deleted`,
          networks,
        );
        this.#context.logger.warn({ plugin: this.id, code, networks }, message);
      }
      await this.#endDrained();
      return false;
    });
  }

  /** Called when another program has deleted links of the plugin. */
  linksLost(links: readonly LostLink[]): void {
    this.#lost.note(links);
  }

  /** Replays the driver's networks, as after a restart; a restart in progress replays them anyway. */
  async #remake(): Promise<boolean> {
    const { current } = this.#service;
    if (!current?.alive || this.#stopped || this.#context.closed() || this.networks().length === 0) return false;
    if (this.#exceeding().length > 0) return false;
    await this.#service.replace(current.prepared);
    return true;
  }

  async #endDrained(): Promise<void> {
    if (this.#draining === undefined || this.networks().length > 0) return;
    if (this.#disabled === undefined) await this.#stop(this.#draining);
    else await this.#stopByPolicy();
  }

  #drain(why: string | undefined): void {
    if (why !== undefined && this.#draining === undefined)
      this.#context.logger.info({ plugin: this.id }, `plugin "${this.id}" takes no new networks: ${why}`);
    this.#draining = why;
  }

  /** Why the policy stops it; undefined if it does not. */
  get #disabled(): string | undefined {
    const stopped = policyEntry(this.#context.policy(), this.id)?.enabled === false;
    return stopped ? 'the policy stops it ("enabled": false)' : undefined;
  }

  async #hasNetworks(): Promise<boolean> {
    return this.networks().length > 0 || (await this.#context.shelf.inUse(this.id)) !== undefined;
  }

  async #stopByPolicy(): Promise<void> {
    if (!this.#stoppedByPolicy) await this.#stop(this.#disabled ?? "stopped");
    this.#stoppedByPolicy = true;
  }

  /** Ends a running version that has lost its grant. Its networks and links stay; it starts again with its next grant. */
  #takeOut(why: string): void {
    this.#comeback.cancel();
    this.#service.end("its grant was revoked");
    this.#drivers.refuse(why);
  }

  /** Ends everything, even with networks; the journal keeps them. */
  async close(): Promise<void> {
    this.#stopped = true;
    this.#lost.stop();
    this.#comeback.cancel();
    this.#service.end("the host closes");
    await this.#turn;
    this.#service.end("the host closes");
    this.#drivers.shut();
    await this.#service.closePowers();
    if (this.#state !== "refused" && this.#state !== "awaiting-grant") this.#state = "stopped";
  }

  #next<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => {});
    return turn;
  }

  /**
   * Starts a version for the first time, or after a refusal, a stop, or with the breaker open. With networks, the previous
   * one is still restarted if this one does not start.
   */
  /**
   * Replaces the version in service. If the new one cannot restore all networks, the former one serves on, unless it has more than the
   * policy grants now: then the new one starts as after a crash, and networks that do not fit the grant are set aside.
   */
  async #replace(prepared: Prepared): Promise<void> {
    try {
      await this.#service.replace(prepared);
    } catch (error) {
      const excess = this.#excess();
      if (excess === "" || !this.#service.alive) throw error;
      const why = `the policy grants less than it ran with (${excess})`;
      this.#context.logger.warn({ plugin: this.id, err: error }, `plugin "${this.id}" starts again, since ${why}`);
      this.#drivers.pause();
      this.#service.end(why);
      await this.#begin(prepared);
    }
  }

  async #begin(prepared: Prepared): Promise<void> {
    this.#stopped = false;
    const serves = this.networks().length > 0;
    if (!serves) this.#state = "loading";
    await this.#service.begin(prepared, serves && this.#state === "unavailable");
  }

  /**
   * Starts the granted version kept from before a restart, though its files have changed: the host would have kept it
   * running, too.
   */
  async #beginShelved(): Promise<Prepared | undefined> {
    const shelved = await this.#context.shelf.inUse(this.id);
    const prepared = shelved && prepareShelved(shelved, this.#context);
    if (!prepared) return undefined;
    try {
      await this.#begin(prepared);
    } catch (error) {
      this.#context.logger.warn({ plugin: this.id, err: error }, "its former version could not be started either");
      return undefined;
    }
    this.#state = "running";
    this.#reports.loaded(prepared);
    return prepared;
  }

  /** Keeps its bytes for the next start. A failure to do so does not stop it from serving. */
  async #keep({ id, version, manifest, code, sourceMap, sha256, effective, pinned }: Prepared): Promise<void> {
    const types = effective.networkTypes;
    try {
      await this.#context.shelf.keep({ id, version, manifest, code, sourceMap, sha256, types, pinned });
    } catch (error) {
      this.#context.logger.warn({ plugin: id, err: error }, "its bytes could not be kept for the next start");
    }
  }

  /** Removes what its `init` made, unless networks or another version need it. */
  async #releaseUnused(): Promise<void> {
    if (this.#service.alive || this.networks().length > 0) return;
    if ((await this.#context.shelf.inUse(this.id)) === undefined) await this.#release();
  }

  /** Starts the same version in a worker elsewhere. If that fails it stays: the end of its process restarts it too. */
  async #move(from: Generation): Promise<void> {
    if (this.#service.current !== from || !from.alive || this.#stopped || this.#context.closed()) return;
    try {
      await this.#service.replace(from.prepared);
    } catch (error) {
      this.#context.logger.warn(
        { plugin: this.id, err: error },
        `plugin "${this.id}" could not be moved to another process`,
      );
    }
  }

  /** Handles a worker in service that ended by itself. */
  #crashed(end: SessionEnd): void {
    this.#service.end(end.reason);
    this.#drivers.pause();
    if (this.#stopped || this.#context.closed()) return;
    this.#state = "restarting";
    // A plugin that shared its process with the cause of the end is not held responsible.
    if (end.innocent !== true) {
      this.#faults++;
      this.#crashing = this.#service.prepared?.sha256;
      this.#service.crashed();
      this.#comeback.crashed(end.code === "ERR_PLUGIN_BLOCKED");
    }
    this.#reports.restarting(end);
    void this.#next(() => this.#comeback.run(end));
  }

  #restarted(last: Ending): void {
    this.#state = this.#draining === undefined ? "running" : "orphaned";
    this.#refusal = undefined;
    this.#reports.restarted(last);
  }

  #restartFailed(error: unknown): Ending {
    const { code, message } = toDriverError(error, this.id);
    this.#reports.restartFailed({ code, reason: message });
    return { code, reason: message };
  }

  /** Refuses calls at once until the breaker's time is up. */
  #giveUp(last: Ending): void {
    const seconds = Math.ceil(this.#context.breakerOpen / 1000);
    const why = `it ended too often, last: ${last.reason}; next try in ${seconds} s, or host.reload("${this.id}")`;
    const words = `plugin "${this.id}" is not in service: ${why}`;
    this.#state = "unavailable";
    this.#refusal = new DriverError("ERR_PLUGIN_UNAVAILABLE", words, { plugin: this.id });
    this.#drivers.refuse(why);
    this.#reports.unavailable(last, words);
  }

  #tryAgain(last: Ending): void {
    if (this.#state !== "unavailable" || this.#stopped) return;
    this.#state = "restarting";
    this.#drivers.pause();
    void this.#next(() => this.#comeback.run(last));
  }

  /** Adds to a failed replacement's error that the previous version still serves. */
  #servesOn(error: DriverError, started: boolean): DriverError {
    if (!started || !this.#service.alive) return error;
    const words = `${error.message}; the version that runs, sha256 ${this.#service.prepared?.sha256}, serves on`;
    return new DriverError(error.code, words, error);
  }

  #refuse(error: DriverError, sha256: string | undefined): DriverError {
    // While another version serves or is restarting, only the new one is refused.
    if (!this.#service.alive && this.#state !== "restarting" && this.#state !== "unavailable") {
      this.#refusal = error;
      this.#state = awaitsGrant(error) ? "awaiting-grant" : "refused";
    }
    this.#reports.refused(error, sha256);
    return error;
  }

  async #stop(reason: string, made: "is removed" | "keeps what it made" = "is removed"): Promise<void> {
    this.#stopped = true;
    this.#draining = undefined;
    this.#comeback.cancel();
    this.#service.end(reason);
    for (const type of this.#drivers.types()) this.#drivers.forget(type);
    await this.#service.closePowers();
    if (made === "is removed") {
      await this.#release();
      await this.#context.shelf.forget(this.id).catch(() => {});
    }
    this.#refusal = undefined;
    this.#state = "stopped";
    this.#reports.stopped(reason);
  }

  /** Removes what it has made on the machine: rules before the bridges they refer to. */
  async #release(): Promise<void> {
    await this.#context.firewall.release(this.id);
    await this.#context.netlink.release(this.id);
  }

  /** Returns what it may do: the grant it was prepared with or, before that, what the policy says about its id alone. */
  #effective(): Effective {
    return (
      this.#service.prepared?.effective ??
      effectiveGrant({ id: this.id, manifest: undefined, policy: this.#context.policy() })
    );
  }

  #configurations({ prepared }: Generation, type: string): readonly JsonObject[] {
    const { options } = prepared.effective;
    const policy = Object.hasOwn(options, type) ? (options[type] ?? {}) : {};
    const platform = this.#drivers.configured(type);
    return platform ? [policy, platform] : [policy];
  }

  #hooks({ sha256 }: Prepared): GenerationHooks {
    return {
      admit: (generation, registration) => this.#drivers.admit(generation, registration),
      configurations: (generation, type) => this.#configurations(generation, type),
      registered: (generation, registration) =>
        this.#drivers.register(generation, registration, generation === this.#service.current),
      unregistered: (_generation, { type }) => this.#drivers.withdraw(type),
      refused: (type, error) => this.#reports.driverRefused(type, error, sha256),
      throttled: (code, detail) => this.#reports.throttled(code, detail, sha256),
      violation: (code, detail) => this.#reports.violation(code, detail, sha256),
      clean: () => this.#faults === 0,
      crashes: () => {
        if (this.#failedStart) return WALLS.crashesUntilAlone;
        return sha256 === this.#crashing ? this.#comeback.record : 0;
      },
      move: (generation) => void this.#next(() => this.#move(generation)),
      replied: (ms) => this.#usage.replied(ms),
      ended: (generation, end) => {
        this.#usage.ended(generation);
        if (generation === this.#service.current && end.crash) this.#crashed(end);
      },
    };
  }
}

function leftWords(networks: readonly string[]): string {
  return `${networks.length} network(s) stay as they are: ${shortList(networks)}`;
}

function hostClosed(plugin: string): DriverError {
  return new DriverError("ERR_HOST_CLOSED", `plugin "${plugin}": the host is closed`, { plugin });
}

function toDriverError(error: unknown, plugin: string): DriverError {
  if (error instanceof DriverError) return error;
  const why = messageOf(error);
  return new DriverError("ERR_PLUGIN_START", `plugin "${plugin}" could not be started: ${why}`, {
    plugin,
    cause: error,
  });
}
