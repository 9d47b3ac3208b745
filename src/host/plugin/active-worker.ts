/** A plugin's worker in service: started with the plugin's records and powers, and replaced without a gap. */

import { monotonicNow } from "../../common/clock.js";
import { shortList } from "../../common/text.js";
import { DriverError } from "../../driverapi/errors.js";
import { WALLS } from "../../isolation/limits.js";
import { ReplayInterrupted } from "../calls/replay.js";
import type { HostContext } from "../context.js";
import { REPLAY } from "../limits.js";
import type { DriverSet } from "./driver-set.js";
import { PluginWorker, type WorkerHooks } from "./plugin-worker.js";
import { type OpenPowers, openPowers } from "./powers.js";
import type { Prepared } from "./prepare.js";
import type { PluginReports } from "./reports.js";

export interface ActiveWorkerOptions {
  readonly plugin: string;
  readonly context: HostContext;
  readonly drivers: DriverSet;
  readonly reports: PluginReports;
  hooks(prepared: Prepared): WorkerHooks;
  /** True once an operator has quarantined the plugin: no worker may enter service. */
  quarantined(): boolean;
}

export class ActiveWorker {
  readonly #options: ActiveWorkerOptions;
  #current: PluginWorker | undefined;
  /** Workers that have not come into service yet. */
  readonly #starting = new Set<PluginWorker>();
  #prepared: Prepared | undefined;
  #powers: OpenPowers | undefined;
  /** When the last worker came into service. */
  #since = Number.NEGATIVE_INFINITY;
  /** True if that worker crashed soon after. */
  #endedEarly = false;
  /** All powers that are open: while one version replaces another, each has its own. */
  readonly #opened = new Set<OpenPowers>();

  constructor(options: ActiveWorkerOptions) {
    this.#options = options;
  }

  /** The worker in service. */
  get current(): PluginWorker | undefined {
    return this.#current;
  }

  get alive(): boolean {
    return this.#current?.alive === true;
  }

  /** The version that was put into service last; a restart runs the same again. */
  get prepared(): Prepared | undefined {
    return this.#prepared;
  }

  /** Starts a version for the first time, with its own powers. `restorePrevious`: if it fails, the previous version is launched next. */
  async begin(prepared: Prepared, restorePrevious: boolean): Promise<void> {
    const former = { prepared: this.#prepared, powers: this.#powers };
    const powers = this.#open(prepared);
    this.#powers = powers;
    this.#prepared = prepared;
    try {
      await this.launch(false);
    } catch (error) {
      if (!restorePrevious) await former.powers?.close();
      else {
        this.#powers = former.powers;
        this.#prepared = former.prepared;
        await powers.close();
      }
      throw error;
    }
    await former.powers?.close();
  }

  /**
   * Starts a worker, restores its networks, and sends calls to it. If restoring a network ends the worker, starts further ones
   * until that network is quarantined. `strict`: the predecessors have blocked repeatedly.
   */
  async launch(strict: boolean): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        await this.#launch(strict);
        return;
      } catch (error) {
        const begun = error instanceof ReplayInterrupted && error.begun;
        if (!begun || tries >= REPLAY.workers || this.#options.context.closed()) throw error;
      }
    }
  }

  async #launch(strict: boolean): Promise<void> {
    const { drivers, reports } = this.#options;
    const suspicious = this.#endedEarly;
    const worker = await this.#start(this.#prepared as Prepared, strict);
    try {
      for (const network of await drivers.restore(worker, suspicious)) {
        reports.networkLost(network.nid, network.failed?.message ?? "");
      }
      worker.assertAlive();
      this.#assertWanted();
    } catch (error) {
      this.#abandon(worker);
      throw error;
    }
    this.#starting.delete(worker);
    this.#current = worker;
    this.#since = monotonicNow();
    drivers.open(worker);
  }

  /** Records that the worker in service ended by its own fault. */
  crashed(): void {
    this.#endedEarly = monotonicNow() - this.#since < REPLAY.earlyMs;
  }

  /** Starts a worker. `strict`: the plugin's earlier workers have blocked repeatedly, and it is not a newly loaded version. */
  async #start(prepared: Prepared, strict: boolean): Promise<PluginWorker> {
    for (let tries = 0; ; tries++) {
      this.#assertWanted();
      const worker = new PluginWorker(
        prepared,
        this.#powers as OpenPowers,
        this.#options.context,
        this.#options.hooks(prepared),
      );
      this.#starting.add(worker);
      try {
        await worker.start(strict);
        this.#assertWanted();
        return worker;
      } catch (error) {
        this.#abandon(worker);
        // Its process ended, perhaps because of another plugin: the last try runs in a process of its own.
        if (!worker.innocent || tries >= WALLS.abortsUntilAlone) throw error;
      }
    }
  }

  /** Throws if the plugin was quarantined while a worker was started. */
  #assertWanted(): void {
    if (this.#options.quarantined()) throw new Error("an operator quarantined it while it was put into service");
  }

  /** Ends a worker that did not come into service, and forgets types that only it had registered. */
  #abandon(worker: PluginWorker): void {
    this.#starting.delete(worker);
    worker.stop("it did not come into service");
    for (const type of worker.fresh) this.#options.drivers.unregister(type);
  }

  /** Starts a newer version beside the one that runs. It takes over only once it has restored all networks. */
  async replace(prepared: Prepared): Promise<void> {
    const { drivers, plugin } = this.#options;
    const old = this.#current;
    const oldPowers = this.#powers;
    const failures = drivers.failures();
    this.#powers = this.#open(prepared);
    let candidate: PluginWorker | undefined;
    try {
      candidate = await this.#start(prepared, false);
      for (const type of drivers.types()) {
        const networks = drivers.networks(type);
        if (candidate.registrations.has(type) || networks.length === 0) continue;
        throw inUse(
          plugin,
          `the new version of plugin "${plugin}" does not register type "${type}", which has networks`,
          networks,
        );
      }
      drivers.pause();
      await drivers.drained();
      // The new code may be able to restore what the old code could not.
      drivers.resetKills();
      const lost = (await drivers.restore(candidate)).find((network) => failures.get(network) === undefined);
      if (lost) throw lost.failed;
      candidate.assertAlive();
      this.#assertWanted();
    } catch (error) {
      if (candidate) this.#abandon(candidate);
      const refused = this.#powers;
      this.#powers = oldPowers;
      await refused.close();
      for (const [network, failed] of failures) network.failed = failed;
      if (old?.alive) drivers.open(old);
      throw error;
    }
    this.#starting.delete(candidate);
    this.#prepared = prepared;
    this.#current = candidate;
    for (const type of drivers.types()) if (!candidate.registrations.has(type)) drivers.unregister(type);
    drivers.open(candidate);
    old?.stop("a newer version has taken its place");
    await oldPowers?.close();
  }

  /** Ends the worker in service, or forgets one that has ended by itself. */
  end(reason: string): void {
    this.#current?.stop(reason);
    this.#current = undefined;
  }

  /** Ends the worker in service and those that are being started. */
  endAll(reason: string): void {
    this.end(reason);
    for (const worker of this.#starting) worker.stop(reason);
  }

  /** Takes permissions away at once, from every version that is running. */
  async revoke(permissions: readonly string[]): Promise<void> {
    await Promise.all([...this.#opened].map((powers) => powers.revoke(permissions)));
  }

  /** Closes the powers of the version in service. */
  async closePowers(): Promise<void> {
    await this.#powers?.close();
    this.#powers = undefined;
  }

  #open({ effective, sha256 }: Prepared): OpenPowers {
    const { plugin, context, reports } = this.#options;
    const powers = openPowers(plugin, effective.permissions, context, (error) => reports.requestRefused(error, sha256));
    const open: OpenPowers = {
      ...powers,
      close: () => {
        this.#opened.delete(open);
        return powers.close();
      },
    };
    this.#opened.add(open);
    return open;
  }
}

/** Returns the error for something that cannot be removed while it serves networks; names some of them. */
export function inUse(plugin: string, what: string, networks: readonly string[]): DriverError {
  return new DriverError("ERR_PLUGIN_IN_USE", `${what}: ${shortList(networks)}; delete them first`, { plugin });
}
