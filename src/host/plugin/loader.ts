/** Loads what was found in the plugins folder: starts it, puts it in place of the version that runs, or refuses it. */
import { isDeepStrictEqual } from "node:util";
import { DriverError } from "../../driverapi/errors.js";
import type { Discovered } from "../discovered.js";
import { exceeding, excessText, stoppedByPolicy } from "./current-grant.js";
import type { PluginContext } from "./plugin-context.js";
import { awaitsGrant, type Prepared, prepare, prepareStored } from "./prepare.js";
import type { Recovery } from "./recovery.js";
import { toDriverError } from "./start-error.js";
import type { Stopper } from "./stopper.js";

export class Loader {
  readonly #plugin: PluginContext;
  readonly #recovery: Recovery;
  readonly #stopper: Stopper;

  constructor(plugin: PluginContext, recovery: Recovery, stopper: Stopper) {
    this.#plugin = plugin;
    this.#recovery = recovery;
    this.#stopper = stopper;
  }

  /**
   * Loads what was found, or replaces the running version with it. Never rejects; resolves with why it was refused.
   * "if changed": the running version stays if it has the same bytes and the same grant.
   */
  async load(found: Discovered, when: "always" | "if changed"): Promise<DriverError | undefined> {
    const plugin = this.#plugin;
    const { id, host, active } = plugin;
    if (host.closed()) return hostClosed(id);
    const disabled = stoppedByPolicy(plugin);
    if (disabled && !(await this.#hasNetworks())) {
      await this.#stopper.stopByPolicy();
      return undefined;
    }
    let sha256: string | undefined;
    const hashed = (digest: string): void => {
      sha256 = digest;
    };
    const serves = (): boolean => active.alive && exceeding(plugin).length === 0;
    const before = { former: active.prepared, serves, hashed };
    let started = false;
    try {
      const prepared = await prepare(found, host, before);
      if (host.closed()) return hostClosed(id);
      const stays = when === "if changed" && active.alive && isDeepStrictEqual(prepared, active.prepared);
      if (stays && plugin.draining === disabled) return undefined;
      started = true;
      if (stays) host.logger.debug({ plugin: id }, "its files are back, unchanged");
      else if (active.alive) await this.#replace(prepared);
      else await this.#begin(prepared);
      await this.#loaded(prepared, disabled);
      return undefined;
    } catch (error) {
      if (started) this.#recovery.startFailed();
      return await this.#failed(this.#addStillServing(toDriverError(error, id), started), sha256);
    }
  }

  /** Completes a load. `disabled`: why the policy stops it once its networks are deleted. */
  async #loaded(prepared: Prepared, disabled: string | undefined): Promise<void> {
    const plugin = this.#plugin;
    this.#stopper.drain(disabled);
    this.#stopper.loaded();
    plugin.refusal = undefined;
    plugin.state = disabled === undefined ? "running" : "orphaned";
    this.#recovery.loaded(prepared);
    plugin.reports.loaded(prepared);
    await this.#store(prepared);
  }

  /** Handles a failed load: ends a version that lost its grant, and brings back the granted one from before a restart. */
  async #failed(refusal: DriverError, sha256: string | undefined): Promise<DriverError> {
    const plugin = this.#plugin;
    if (exceeding(plugin).length > 0) this.#stopper.endRevoked(refusal.message);
    if (awaitsGrant(refusal) && !plugin.active.alive) {
      const former = await this.#beginStored();
      const words = `${refusal.message}; the version it had before, sha256 ${former?.sha256}, serves its networks`;
      if (former) return this.#refuse(new DriverError(refusal.code, words, { plugin: plugin.id }), sha256);
    }
    await this.#stopper.releaseUnused();
    return this.#refuse(refusal, sha256);
  }

  async #hasNetworks(): Promise<boolean> {
    const { id, host } = this.#plugin;
    return this.#plugin.networks().length > 0 || (await host.bundles.inUse(id)) !== undefined;
  }

  /**
   * Replaces the version in service. If the new one cannot restore all networks, the former one stays, unless it exceeds the
   * grant: then the new one starts as after a crash, without the networks that do not fit.
   */
  async #replace(prepared: Prepared): Promise<void> {
    const { id, host, active, drivers } = this.#plugin;
    try {
      await active.replace(prepared);
    } catch (error) {
      const excess = excessText(this.#plugin);
      if (excess === "" || !active.alive) throw error;
      const why = `the policy grants less than it ran with (${excess})`;
      host.logger.warn({ plugin: id, err: error }, `plugin "${id}" restarts: ${why}`);
      drivers.pause();
      active.end(why);
      await this.#begin(prepared);
    }
  }

  /**
   * Starts a version for the first time, or after a refusal, a stop, or with the breaker open. With networks, the previous
   * one is still restarted if this one does not start.
   */
  async #begin(prepared: Prepared): Promise<void> {
    const plugin = this.#plugin;
    plugin.stopped = false;
    const serves = plugin.networks().length > 0;
    if (!serves) plugin.state = "loading";
    // A restart, after a crash or by the breaker, may be waiting behind this load.
    const restarts = plugin.state === "unavailable" || plugin.state === "restarting";
    await plugin.active.begin(prepared, serves && restarts);
  }

  /**
   * Starts the granted version stored before a restart of the host, although its files have changed since.
   */
  async #beginStored(): Promise<Prepared | undefined> {
    const plugin = this.#plugin;
    const stored = await plugin.host.bundles.inUse(plugin.id);
    const prepared = stored && prepareStored(stored, plugin.host);
    if (!prepared) return undefined;
    try {
      await this.#begin(prepared);
    } catch (error) {
      plugin.host.logger.warn({ plugin: plugin.id, err: error }, "its former version could not be started either");
      return undefined;
    }
    plugin.state = "running";
    plugin.reports.loaded(prepared);
    return prepared;
  }

  /** Keeps its bytes for the next start. A failure is only logged. */
  async #store({ id, version, manifest, code, sourceMap, sha256, effective, pinned }: Prepared): Promise<void> {
    const { bundles, logger } = this.#plugin.host;
    const types = effective.networkTypes;
    try {
      await bundles.put({ id, version, manifest, code, sourceMap, sha256, types, pinned });
    } catch (error) {
      logger.warn(
        { plugin: id, err: error },
        "its code could not be stored: after a restart of the host, only the files in its folder can run",
      );
    }
  }

  /** Adds to a failed replacement's error that the previous version still serves. */
  #addStillServing(error: DriverError, started: boolean): DriverError {
    const { alive, prepared } = this.#plugin.active;
    if (!started || !alive) return error;
    const words = `${error.message}; the version that runs, sha256 ${prepared?.sha256}, keeps running`;
    return new DriverError(error.code, words, error);
  }

  #refuse(error: DriverError, sha256: string | undefined): DriverError {
    const plugin = this.#plugin;
    // While another version serves or is restarting, only the new one is refused.
    if (!plugin.active.alive && plugin.state !== "restarting" && plugin.state !== "unavailable") {
      plugin.refusal = error;
      plugin.state = awaitsGrant(error) ? "awaiting-grant" : "refused";
    }
    plugin.reports.refused(error, sha256);
    return error;
  }
}

function hostClosed(plugin: string): DriverError {
  return new DriverError("ERR_HOST_CLOSED", `plugin "${plugin}": the host is closed`, { plugin });
}
