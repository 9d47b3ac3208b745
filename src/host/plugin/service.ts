/** Who serves as a plugin: a worker put into service with the plugin's records and powers, and replaced without a gap. */
import { DriverError } from "../../driverapi/errors.js";
import { monotonicNow } from "../../protocol/clock.js";
import { REPLAY, WALLS } from "../../protocol/limits.js";
import { shortList } from "../calls/operations.js";
import { ReplayInterrupted } from "../calls/replay.js";
import type { HostContext } from "../context.js";
import type { DriverSet } from "./driver-set.js";
import { Generation, type GenerationHooks } from "./generation.js";
import { type OpenPowers, openPowers } from "./powers.js";
import type { Prepared } from "./prepare.js";
import type { PluginReports } from "./reports.js";

export interface ServiceOptions {
  readonly plugin: string;
  readonly context: HostContext;
  readonly drivers: DriverSet;
  readonly reports: PluginReports;
  hooks(prepared: Prepared): GenerationHooks;
}

export class Service {
  readonly #options: ServiceOptions;
  #current: Generation | undefined;
  #prepared: Prepared | undefined;
  #powers: OpenPowers | undefined;
  /** When the last worker came into service, and whether it did not live long then. */
  #since = Number.NEGATIVE_INFINITY;
  #died = false;
  /** All that are open: while one version replaces another, each has its own. */
  readonly #opened = new Set<OpenPowers>();

  constructor(options: ServiceOptions) {
    this.#options = options;
  }

  /** The worker in service. */
  get current(): Generation | undefined {
    return this.#current;
  }

  get alive(): boolean {
    return this.#current?.alive === true;
  }

  /** What was put into service last; a restart runs the same again. */
  get prepared(): Prepared | undefined {
    return this.#prepared;
  }

  /** A first start, with powers of its own. `returns`: where it fails, what was in service before is what the next launch brings back. */
  async begin(prepared: Prepared, returns: boolean): Promise<void> {
    const former = { prepared: this.#prepared, powers: this.#powers };
    const powers = this.#open(prepared);
    this.#powers = powers;
    this.#prepared = prepared;
    try {
      await this.launch(false);
    } catch (error) {
      if (!returns) await former.powers?.close();
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
   * A worker started, its records restored, and calls sent to it. `harsh`: its predecessors have blocked again and again. A record that
   * ends the worker is found and set aside by further workers: it would take the plugin's other networks with it.
   */
  async launch(harsh: boolean): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        await this.#launch(harsh);
        return;
      } catch (error) {
        const begun = error instanceof ReplayInterrupted && error.begun;
        if (!begun || tries >= REPLAY.workers || this.#options.context.closed()) throw error;
      }
    }
  }

  async #launch(harsh: boolean): Promise<void> {
    const { drivers, reports } = this.#options;
    const suspicious = this.#died;
    const generation = await this.#start(this.#prepared as Prepared, harsh);
    try {
      for (const network of await drivers.restore(generation, suspicious)) {
        reports.networkLost(network.nid, network.failed?.message ?? "");
      }
      generation.assertAlive();
    } catch (error) {
      this.#abandon(generation);
      throw error;
    }
    this.#current = generation;
    this.#since = monotonicNow();
    drivers.open(generation);
  }

  /** The worker in service has ended by its own fault. */
  crashed(): void {
    this.#died = monotonicNow() - this.#since < REPLAY.youngMs;
  }

  /** `harsh`: its earlier workers have blocked again and again. What was loaded anew has no such record. */
  async #start(prepared: Prepared, harsh: boolean): Promise<Generation> {
    for (let tries = 0; ; tries++) {
      const generation = new Generation(
        prepared,
        this.#powers as OpenPowers,
        this.#options.context,
        this.#options.hooks(prepared),
      );
      try {
        await generation.start(harsh);
        return generation;
      } catch (error) {
        this.#abandon(generation);
        // Its process ended under it, and another may be the cause: the last try is one by itself.
        if (!generation.innocent || tries >= WALLS.abortsUntilAlone) throw error;
      }
    }
  }

  /** Ends a worker that did not come into service; types that it alone had registered are forgotten. */
  #abandon(generation: Generation): void {
    generation.stop("it did not come into service");
    for (const type of generation.fresh) this.#options.drivers.forget(type);
  }

  /** A newer version is started beside the one that runs, and takes its place only when it has all of its networks. */
  async replace(prepared: Prepared): Promise<void> {
    const { drivers, plugin } = this.#options;
    const old = this.#current;
    const oldPowers = this.#powers;
    const failures = drivers.failures();
    this.#powers = this.#open(prepared);
    let candidate: Generation | undefined;
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
      // Other code may well restore what this one's could not.
      drivers.forgive();
      const lost = (await drivers.restore(candidate)).find((network) => failures.get(network) === undefined);
      if (lost) throw lost.failed;
      candidate.assertAlive();
    } catch (error) {
      if (candidate) this.#abandon(candidate);
      const refused = this.#powers;
      this.#powers = oldPowers;
      await refused.close();
      for (const [network, failed] of failures) network.failed = failed;
      if (old?.alive) drivers.open(old);
      throw error;
    }
    this.#prepared = prepared;
    this.#current = candidate;
    for (const type of drivers.types()) if (!candidate.registrations.has(type)) drivers.forget(type);
    drivers.open(candidate);
    old?.stop("a newer version has taken its place");
    await oldPowers?.close();
  }

  /** The worker in service has ended by itself, or is to end. */
  end(reason: string): void {
    this.#current?.stop(reason);
    this.#current = undefined;
  }

  /** Takes permissions of what runs away at once. */
  async revoke(permissions: readonly string[]): Promise<void> {
    await Promise.all([...this.#opened].map((powers) => powers.revoke(permissions)));
  }

  /** Its powers end with it. */
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

/** Why what serves networks cannot go; names some of them. */
export function inUse(plugin: string, what: string, networks: readonly string[]): DriverError {
  return new DriverError("ERR_PLUGIN_IN_USE", `${what}: ${shortList(networks)}; delete them first`, { plugin });
}
